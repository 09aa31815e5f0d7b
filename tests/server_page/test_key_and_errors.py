"""A server with a key, and servers that go away: said in words, with a way on."""

from functools import partial
from typing import TYPE_CHECKING

from page_parts import Open, Start

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

KEY = "sesame-open-0123456789"


def send(page: "Page", text: str = "Hi") -> None:
    page.locator("#set-max_tokens").fill("4")
    page.fill("#message", text)
    page.keyboard.press("Enter")


def test_key_is_asked_for_checked_and_kept_in_the_tab_alone(open_page: Open, start: Start) -> None:
    with start(keys=(KEY,)) as running:
        page = open_page(running, expect=("401",))
        send(page)
        dialog = page.get_by_role("dialog", name="API key")
        dialog.wait_for()
        page.fill("#key-value", "wrong-key-0123456789")
        page.keyboard.press("Enter")
        page.get_by_text("does not know this key").wait_for()
        page.fill("#key-value", KEY)
        page.keyboard.press("Enter")
        page.wait_for_selector(".turn.assistant .meta:not([hidden])")  # the message went through
        assert not dialog.is_visible()
        assert KEY in page.evaluate("JSON.stringify(sessionStorage)")
        assert KEY not in page.evaluate("JSON.stringify(localStorage) + document.cookie")
        page.click("#open-key")
        page.click("#key-forget")
        assert KEY not in page.evaluate("JSON.stringify(sessionStorage)")
        page.click("#tab-model")
        dialog.wait_for()  # every part of the page asks for it
        page.keyboard.press("Escape")


def test_server_that_is_gone_is_named_and_can_be_tried_again(open_page: Open) -> None:
    page = open_page(expect=("ERR_INTERNET_DISCONNECTED",))
    page.context.set_offline(True)
    send(page)
    alert = page.get_by_role("alert")
    alert.wait_for()
    assert alert.get_by_text("The server cannot be reached").is_visible()
    page.context.set_offline(False)
    alert.get_by_role("button", name="Try again").click()
    page.wait_for_selector(".turn.assistant .meta:not([hidden])")
    assert page.locator(".turn").count() == 2
    assert alert.count() == 0


def test_answer_that_breaks_off_keeps_its_text(open_page: Open) -> None:
    page = open_page()
    head = "data: " + '{"choices":[{"index":0,"delta":{"content":"Half an"},"finish_reason":null}]}'
    page.route(
        "**/v1/chat/completions",
        lambda route: route.fulfill(
            status=200, content_type="text/event-stream", body=f"{head}\n\n"
        ),
    )
    send(page)
    page.get_by_role("alert").filter(has_text="connection broke").wait_for()
    assert page.locator(".turn.assistant .prose").inner_text() == "Half an"


def test_events_come_in_any_pieces(open_page: Open) -> None:
    page = open_page()
    read = page.evaluate(
        """async () => {
          const { events } = await import('/page/js/sse.js');
          const bytes = new TextEncoder().encode(
            ': hello\\r\\n\\r\\ndata: {"a": "한국어"}\\n\\n'
            + 'data: {"b":\\ndata: 2}\\n\\ndata: [DONE]\\n\\nrest');
          const found = [];
          for (const size of [1, 2, 7, 1000]) {
            let at = 0;
            const body = new ReadableStream({pull(control) {
              if (at >= bytes.length) return control.close();
              control.enqueue(bytes.slice(at, at += size));
            }});
            for await (const event of events({body})) found.push(event);
          }
          return found;
        }"""
    )
    assert read == [{"a": "한국어"}, {"b": 2}] * 4


def test_busy_server_says_when_to_come_back(open_page: Open) -> None:
    page = open_page(expect=("429", "503"))
    for status, code, words in (
        (429, "rate_limit_exceeded", "Too many requests at once. Try again in 9 seconds."),
        (503, "server_overloaded", "The server is busy. Try again in 9 seconds."),
    ):
        page.unroute("**/v1/chat/completions")
        page.route("**/v1/chat/completions", partial(_refuse, status, code))
        send(page)
        page.get_by_text(words).wait_for()


def _refuse(status: int, code: str, route: "Route") -> None:
    route.fulfill(status=status, headers={"retry-after": "9"}, json={"error": {"code": code}})
