"""Names that the tests of the page share."""

import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from serving import Running

if TYPE_CHECKING:
    from playwright.sync_api import Page

Start = Callable[..., contextlib.AbstractContextManager[Running]]
Open = Callable[..., "Page"]
DONE = "#send:not([hidden])"


def settle(page: "Page", **values: Any) -> None:
    """Fill settings in the form."""
    for name, value in {"temperature": 0, "max_tokens": 24, **values}.items():
        page.locator(f"#set-{name}").fill(str(value))


def say(page: "Page", text: str = "The quick brown fox") -> str:
    """Send a message and return the text of the whole answer."""
    page.fill("#message", text)
    page.keyboard.press("Enter")
    page.wait_for_selector(DONE)
    return page.locator(".turn.assistant .prose").last.inner_text()
