"""Annotations of a page: links, where they lie and where they point; what is filled in."""

import ctypes
from dataclasses import dataclass

from solarmini.layout.pdf import native
from solarmini.layout.pdf.space import PageSpace
from solarmini.layout.primitives import Box

MOST_LINKS = 2_000
LONGEST = 4_096  # bytes of one address


@dataclass(frozen=True, slots=True)
class Link:
    """A target as written ("https://…", or "#page=3" within the file) and its boxes."""

    target: str
    boxes: tuple[Box, ...]


def filled_in(page: int) -> bool:
    """Whether form fields, typed notes or stamps lie on a page: what they show is its text too."""
    kinds = (native.WIDGET, native.FREE_TEXT, native.STAMP)
    for index in range(min(native.annotation_count(page), MOST_LINKS)):
        handle = native.annotation(page, index)
        if handle:
            kind = native.annotation_type(handle)
            native.annotation_close(handle)
            if kind in kinds:
                return True
    return False


def read_links(document: int, page: int, space: PageSpace) -> list[Link]:
    """Return the links of a page handle, at most MOST_LINKS."""
    found: list[Link] = []
    position, handle = ctypes.c_int(0), ctypes.c_void_p()
    at_position, at_handle = ctypes.addressof(position), ctypes.addressof(handle)
    while len(found) < MOST_LINKS and native.link_next(page, at_position, at_handle):
        link = handle.value
        if not link:
            continue
        target = _target(document, link)
        boxes = _boxes(link, space)
        if target and boxes:
            found.append(Link(target, boxes))
    return found


def _target(document: int, link: int) -> str | None:
    action = native.link_action(link)
    place = None
    if action:
        kind = native.action_type(action)
        if kind == native.ACTION_URI:
            size = native.action_uri(document, action, native.NULL, 0)
            if not 1 < size <= LONGEST:
                return None
            out = ctypes.create_string_buffer(size)
            native.action_uri(document, action, ctypes.addressof(out), size)
            return out.value.decode("utf-8", "replace").strip() or None
        if kind == native.ACTION_GOTO:
            place = native.action_target(document, action)
    place = place or native.link_target(document, link)
    if not place:
        return None
    number = native.target_page(document, place)
    return f"#page={number + 1}" if number >= 0 else None


def _boxes(link: int, space: PageSpace) -> tuple[Box, ...]:
    found = []
    quad = (ctypes.c_float * 8)()
    for index in range(min(native.link_quads(link), 64)):
        if native.link_quad(link, index, ctypes.addressof(quad)):
            xs, ys = quad[0::2], quad[1::2]
            found.append(space.box(min(xs), min(ys), max(xs), max(ys)))
    if found:
        return tuple(found)
    rect = (ctypes.c_float * 4)()  # left, top, right, bottom
    if not native.link_box(link, ctypes.addressof(rect)):
        return ()
    left, top, right, bottom = rect
    return (space.box(left, bottom, right, top),)
