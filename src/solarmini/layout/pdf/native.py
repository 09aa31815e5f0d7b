"""PDFium's C functions, bound so that thousands of calls a page stay cheap.

Handles are plain integers and output arguments are addresses, so that results land in numpy
arrays without a ctypes object for each. PDFium is not safe for threads: whoever calls anything
here holds `LOCK` from the first call to the last. Documents do not share pages: a worker process
opens its own.

Source: the public headers fpdfview.h, fpdf_text.h, fpdf_edit.h, fpdf_doc.h of PDFium.
"""

import ctypes
import threading
from collections.abc import Callable
from ctypes import c_char_p, c_double, c_float, c_int, c_size_t, c_uint, c_ulong, c_void_p
from typing import Any

import pypdfium2.raw as _raw  # initialises the library once per process

LOCK = threading.RLock()
"""Held around every use of PDFium."""

NULL = 0
_Handle = c_void_p
_Out = c_void_p


def _bind(name: str, result: Any, *arguments: Any, slow: bool = False) -> Callable[..., Any]:
    # calls that take long let other Python threads run; for short ones that costs more than it buys
    make = ctypes.CFUNCTYPE if slow else ctypes.PYFUNCTYPE
    address = ctypes.cast(getattr(_raw, name), c_void_p).value
    assert address is not None
    return make(result, *arguments)(address)


load_document = _bind("FPDF_LoadDocument", _Handle, c_char_p, c_char_p, slow=True)
load_memory = _bind("FPDF_LoadMemDocument64", _Handle, _Handle, c_size_t, c_char_p, slow=True)
last_error = _bind("FPDF_GetLastError", c_ulong)
close_document = _bind("FPDF_CloseDocument", None, _Handle)
page_count = _bind("FPDF_GetPageCount", c_int, _Handle, slow=True)
meta_text = _bind("FPDF_GetMetaText", c_ulong, _Handle, c_char_p, _Out, c_ulong)

load_page = _bind("FPDF_LoadPage", _Handle, _Handle, c_int, slow=True)
close_page = _bind("FPDF_ClosePage", None, _Handle)
page_box = _bind("FPDF_GetPageBoundingBox", c_int, _Handle, _Out)
page_rotation = _bind("FPDFPage_GetRotation", c_int, _Handle)
page_objects = _bind("FPDFPage_CountObjects", c_int, _Handle)
page_object = _bind("FPDFPage_GetObject", _Handle, _Handle, c_int)
flatten = _bind("FPDFPage_Flatten", c_int, _Handle, c_int, slow=True)

text_load = _bind("FPDFText_LoadPage", _Handle, _Handle, slow=True)
text_close = _bind("FPDFText_ClosePage", None, _Handle)
text_count = _bind("FPDFText_CountChars", c_int, _Handle)
text_code = _bind("FPDFText_GetUnicode", c_uint, _Handle, c_int)
text_object = _bind("FPDFText_GetTextObject", _Handle, _Handle, c_int)
text_generated = _bind("FPDFText_IsGenerated", c_int, _Handle, c_int)
text_unmapped = _bind("FPDFText_HasUnicodeMapError", c_int, _Handle, c_int)
text_size = _bind("FPDFText_GetFontSize", c_double, _Handle, c_int)
text_matrix = _bind("FPDFText_GetMatrix", c_int, _Handle, c_int, _Out)
text_box = _bind("FPDFText_GetCharBox", c_int, _Handle, c_int, _Out, _Out, _Out, _Out)
text_loose = _bind("FPDFText_GetLooseCharBox", c_int, _Handle, c_int, _Out)
text_origin = _bind("FPDFText_GetCharOrigin", c_int, _Handle, c_int, _Out, _Out)
text_fill = _bind("FPDFText_GetFillColor", c_int, _Handle, c_int, _Out, _Out, _Out, _Out)

object_mode = _bind("FPDFTextObj_GetTextRenderMode", c_int, _Handle)
object_font = _bind("FPDFTextObj_GetFont", _Handle, _Handle)
font_name = _bind("FPDFFont_GetBaseFontName", c_size_t, _Handle, _Out, c_size_t)
font_advance = _bind("FPDFFont_GetGlyphWidth", c_int, _Handle, c_uint, c_float, _Out)
font_flags = _bind("FPDFFont_GetFlags", c_int, _Handle)
font_weight = _bind("FPDFFont_GetWeight", c_int, _Handle)
font_italic = _bind("FPDFFont_GetItalicAngle", c_int, _Handle, _Out)
font_ascent = _bind("FPDFFont_GetAscent", c_int, _Handle, c_float, _Out)
font_descent = _bind("FPDFFont_GetDescent", c_int, _Handle, c_float, _Out)

object_type = _bind("FPDFPageObj_GetType", c_int, _Handle)
object_matrix = _bind("FPDFPageObj_GetMatrix", c_int, _Handle, _Out)
object_bounds = _bind("FPDFPageObj_GetBounds", c_int, _Handle, _Out, _Out, _Out, _Out)
object_fill = _bind("FPDFPageObj_GetFillColor", c_int, _Handle, _Out, _Out, _Out, _Out)
object_stroke = _bind("FPDFPageObj_GetStrokeColor", c_int, _Handle, _Out, _Out, _Out, _Out)
object_width = _bind("FPDFPageObj_GetStrokeWidth", c_int, _Handle, _Out)
object_clip = _bind("FPDFPageObj_GetClipPath", _Handle, _Handle)
clip_paths = _bind("FPDFClipPath_CountPaths", c_int, _Handle)
clip_segments = _bind("FPDFClipPath_CountPathSegments", c_int, _Handle, c_int)
clip_segment = _bind("FPDFClipPath_GetPathSegment", _Handle, _Handle, c_int, c_int)
path_segments = _bind("FPDFPath_CountSegments", c_int, _Handle)
path_segment = _bind("FPDFPath_GetPathSegment", _Handle, _Handle, c_int)
path_mode = _bind("FPDFPath_GetDrawMode", c_int, _Handle, _Out, _Out)
segment_point = _bind("FPDFPathSegment_GetPoint", c_int, _Handle, _Out, _Out)
segment_type = _bind("FPDFPathSegment_GetType", c_int, _Handle)
segment_close = _bind("FPDFPathSegment_GetClose", c_int, _Handle)
image_pixels = _bind("FPDFImageObj_GetImagePixelSize", c_int, _Handle, _Out, _Out)
form_objects = _bind("FPDFFormObj_CountObjects", c_int, _Handle)
form_object = _bind("FPDFFormObj_GetObject", _Handle, _Handle, c_ulong)

annotation_count = _bind("FPDFPage_GetAnnotCount", c_int, _Handle)
annotation = _bind("FPDFPage_GetAnnot", _Handle, _Handle, c_int)
annotation_close = _bind("FPDFPage_CloseAnnot", None, _Handle)
annotation_type = _bind("FPDFAnnot_GetSubtype", c_int, _Handle)
link_next = _bind("FPDFLink_Enumerate", c_int, _Handle, _Out, _Out)
link_box = _bind("FPDFLink_GetAnnotRect", c_int, _Handle, _Out)
link_quads = _bind("FPDFLink_CountQuadPoints", c_int, _Handle)
link_quad = _bind("FPDFLink_GetQuadPoints", c_int, _Handle, c_int, _Out)
link_action = _bind("FPDFLink_GetAction", _Handle, _Handle)
link_target = _bind("FPDFLink_GetDest", _Handle, _Handle, _Handle)
action_type = _bind("FPDFAction_GetType", c_ulong, _Handle)
action_target = _bind("FPDFAction_GetDest", _Handle, _Handle, _Handle)
action_uri = _bind("FPDFAction_GetURIPath", c_ulong, _Handle, _Handle, _Out, c_ulong)
target_page = _bind("FPDFDest_GetDestPageIndex", c_int, _Handle, _Handle)

bitmap_new = _bind("FPDFBitmap_CreateEx", _Handle, c_int, c_int, c_int, _Handle, c_int)
bitmap_free = _bind("FPDFBitmap_Destroy", None, _Handle)
render_page = _bind(
    "FPDF_RenderPageBitmap", None, _Handle, _Handle, *[c_int] * 6, slow=True
)  # bitmap, page, x, y, width, height, rotation, flags

ERROR_FILE, ERROR_FORMAT, ERROR_PASSWORD, ERROR_SECURITY = 2, 3, 4, 5
TEXT, PATH, IMAGE, SHADING, FORM = 1, 2, 3, 4, 5
LINE_TO, CURVE_TO, MOVE_TO = 0, 1, 2
BGR, ANNOTATIONS, RGB_ORDER = 2, 0x01, 0x10
INVISIBLE = 3  # text rendering modes 3 and 7 leave no ink
CLIP_ONLY = 7
ACTION_GOTO, ACTION_URI = 1, 3
WIDGET, FREE_TEXT, STAMP = 20, 3, 13
FOR_DISPLAY, FLATTENED = 0, 1
