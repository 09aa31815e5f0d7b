"""OCR: lines of text from the pixels of a page, in English and Korean, without a network.

`recognise` reads a scanned page: it finds how the page lies, turns it upright, finds and reads its
lines. `recognise_inside` reads the text printed inside pictures of a page that has a text layer.
"""

from solarmini.layout.ocr.engines import ENGINES, choose_engine
from solarmini.layout.ocr.inside import recognise_inside
from solarmini.layout.ocr.page import needs_ocr, recognise
from solarmini.layout.ocr.reading import Engine

__all__ = ["ENGINES", "Engine", "choose_engine", "needs_ocr", "recognise", "recognise_inside"]
