"""Chat: streaming, stopping, doing it again, changing what was said, and what is sent."""

import json
from typing import TYPE_CHECKING, Any

from page_parts import DONE, Open, say, settle
from serving import Running

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

ANSWER = ".turn.assistant .prose"


def requests_of(page: "Page") -> list[dict[str, Any]]:
    """Collect the chat requests that the page sends from now on."""
    sent: list[dict[str, Any]] = []

    def note(request: Any) -> None:
        if request.url.endswith("/v1/chat/completions"):
            sent.append(json.loads(request.post_data))

    page.on("request", note)
    return sent


def slow_down(page: "Page", bytes_per_second: int) -> None:
    """Let the browser receive no faster from now on."""
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    limits = {"latency": 0, "downloadThroughput": bytes_per_second, "uploadThroughput": -1}
    network.send("Network.emulateNetworkConditions", {"offline": False, **limits})


def test_answer_streams_and_says_how_fast(open_page: Open, api: Running) -> None:
    page = open_page()
    settle(page)
    sent = requests_of(page)
    shown = say(page)
    plain = api.chat("The quick brown fox", max_tokens=24, top_p=0.95).json
    text = page.evaluate("JSON.parse(sessionStorage['solar.turns']).at(-1).content")
    assert text == plain["choices"][0]["message"]["content"]
    assert shown.strip()
    meta = page.locator(".turn.assistant .meta").inner_text()
    assert meta.startswith(f"{plain['usage']['completion_tokens']} tokens · ")
    assert "tokens/s" in meta
    assert sent[0]["stream"] is True
    assert page.locator(".turn.user .said").inner_text() == "The quick brown fox"


def test_a_network_that_delivers_all_at_once_is_no_fast_model(open_page: Open) -> None:
    page = open_page()
    settle(page, max_tokens=200)

    def late(route: "Route") -> None:
        answer = route.fetch()  # the whole stream, before the page gets any of it
        page.wait_for_timeout(400)
        route.fulfill(response=answer)

    page.route("**/v1/chat/completions", late)
    say(page)
    told = page.evaluate("JSON.parse(sessionStorage['solar.turns']).at(-1).facts")
    assert told["tokens"] > 20
    assert told["speed"] <= told["tokens"] / 0.4


def test_settings_reach_the_model_and_are_remembered(open_page: Open) -> None:
    page = open_page()
    settle(page, system="Be brief.", seed=7, stop="xyz\n\nabc", top_p=0.5, temperature=1.2)
    sent = requests_of(page)
    say(page, "Hello")
    assert sent[0]["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hello"},
    ]
    wanted = {"temperature": 1.2, "top_p": 0.5, "max_tokens": 24, "seed": 7, "stop": ["xyz", "abc"]}
    assert {name: sent[0][name] for name in wanted} == wanted
    page.reload()
    assert page.input_value("#set-system") == "Be brief."
    assert page.locator("#set-temperature-value").inner_text() == "1.20"
    assert page.locator(".turn").count() == 2  # the conversation is still there
    page.click("#reset-settings")
    assert page.input_value("#set-system") == ""


def test_stop_keeps_what_has_come(open_page: Open, api: Running) -> None:
    page = open_page()
    settle(page, max_tokens=900)
    slow_down(page, bytes_per_second=50_000)  # so small a model ends before a person can stop it
    page.evaluate(
        """() => new MutationObserver((_, me) => {
          const host = document.querySelector('.turn.assistant .prose');
          if (!host || host.querySelector('.thinking') || !host.textContent) return;
          me.disconnect();
          document.querySelector('#stop').click();
        }).observe(document.querySelector('#turns'), {subtree: true, childList: true})"""
    )
    say(page)
    assert "stopped" in page.locator(".turn.assistant .meta").inner_text()
    kept = page.evaluate("JSON.parse(sessionStorage['solar.turns']).at(-1).content")
    whole = api.chat("The quick brown fox", max_tokens=900, top_p=0.95).json
    assert kept
    assert whole["choices"][0]["message"]["content"].startswith(kept)
    assert len(kept) < len(whole["choices"][0]["message"]["content"])


def test_again_and_edit(open_page: Open) -> None:
    page = open_page()
    settle(page)
    first = say(page)
    say(page, "Second")
    sent = requests_of(page)
    page.locator(".turn.assistant").first.get_by_role("button", name="Answer again").click()
    page.wait_for_selector(DONE)
    assert page.locator(".turn").count() == 2  # what came after is gone
    assert page.locator(ANSWER).inner_text() == first
    page.get_by_role("button", name="Edit").click()
    area = page.get_by_role("textbox", name="Change your message")
    assert area.input_value() == "The quick brown fox"
    area.fill("The lazy dog")
    area.press("Enter")
    page.locator(".turn.user .said", has_text="The lazy dog").wait_for()
    page.wait_for_selector(DONE)
    assert [one["messages"][-1]["content"] for one in sent] == [
        "The quick brown fox",
        "The lazy dog",
    ]
    page.get_by_role("button", name="Edit").click()
    page.keyboard.press("Escape")
    assert page.locator(".turn.user .said").inner_text() == "The lazy dog"
    page.click("#new-chat")
    assert page.locator(".turn").count() == 0
    assert page.locator("#welcome").is_visible()


def test_enter_sends_and_shift_enter_does_not(open_page: Open) -> None:
    page = open_page()
    settle(page, max_tokens=1)
    page.fill("#message", "one")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("two")
    assert page.input_value("#message") == "one\ntwo"
    composing = """() => document.querySelector('#message').dispatchEvent(
      new KeyboardEvent('keydown', {key: 'Enter', isComposing: true, bubbles: true}))"""
    page.evaluate(composing)  # ends a Korean syllable
    assert page.locator(".turn").count() == 0
    page.keyboard.press("Enter")
    page.wait_for_selector(DONE)
    assert page.locator(".turn.user .said").inner_text() == "one\ntwo"


def test_copy(open_page: Open) -> None:
    page = open_page(permissions=["clipboard-read", "clipboard-write"])
    settle(page)
    say(page)
    page.locator(".turn.assistant").get_by_role("button", name="Copy").first.click()
    page.locator(".turn.assistant", has_text="Copied").wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.evaluate("JSON.parse(sessionStorage['solar.turns']).at(-1).content")


def test_screen_readers_hear_sentences_and_the_end(open_page: Open) -> None:
    page = open_page()
    heard = page.evaluate(
        """async () => {
          const { Reader } = await import('/page/js/speech.js');
          const reader = new Reader();
          const region = document.getElementById('said');
          region.replaceChildren();
          const text = 'One **bold** sentence. Another! And a ta';
          for (let end = 1; end <= text.length; end++) reader.grown(text.slice(0, end));
          const words = () => [...region.children].map((node) => node.textContent);
          const before = words();
          reader.end(text + 'il', {tokens: 9, speed: 3});
          return [before, words().slice(before.length)];
        }"""
    )
    assert heard[0] == ["One bold sentence.", "Another!"]
    assert heard[1] == ["And a tail", "The answer is complete: 9 tokens, 3.0 a second."]
    assert page.locator("#said").get_attribute("aria-live") == "polite"


def test_too_long_a_conversation_is_explained(open_page: Open) -> None:
    page = open_page(expect=("400",))
    settle(page, max_tokens=900)
    page.fill("#message", "word " * 400)
    page.keyboard.press("Enter")
    notice = page.get_by_role("alert").filter(has_text="do not fit")
    notice.wait_for()
    assert "1024 tokens" in notice.inner_text()
    assert page.locator(".turn.assistant").count() == 0  # no empty answer is left
    page.locator("#set-max_tokens").fill("4")
    page.fill("#message", "")
    page.click("#new-chat")
    assert page.locator("#chat-notice").inner_text() == ""
