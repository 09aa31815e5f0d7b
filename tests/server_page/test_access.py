"""Everybody can use it: axe-core, the keyboard, two languages, light and dark, a narrow screen."""

import re
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import pytest
from page_parts import Open, say, settle
from small_pdf import SmallPdf

if TYPE_CHECKING:
    from playwright.sync_api import Page

PAGE = files("solarmini.server") / "page"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
LOOKS = [("light", "en-US"), ("dark", "ko-KR")]
NARROW = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def axe() -> str:
    """The source of axe-core."""
    package = pytest.importorskip("axe_playwright_python")
    return (files(package) / "axe.min.js").read_text(encoding="utf-8")


def check(page: "Page", axe: str) -> None:
    """Fail with what axe finds, and where."""
    page.evaluate(axe)
    found: Any = page.evaluate(
        """async (tags) => (await axe.run(document, {
          runOnly: {type: 'tag', values: tags}, resultTypes: ['violations'],
        })).violations""",
        RULES,
    )
    said = [
        f"{rule['impact']} {rule['id']}: {node['html'][:200]} {node['failureSummary'][:300]}"
        for rule in found
        for node in rule["nodes"]
    ]
    assert not said, "\n".join(said)


def paper() -> bytes:
    pdf = SmallPdf(height=400).page().text(56, 80, "A heading", 20, "B")
    pdf.lines(56, 130, ["Some words in a paragraph that", "fills more than one line here."])
    pdf.grid(56, 200, [90, 70], [20] * 2)
    for row, texts in enumerate([["Tower", "Height"], ["North", "41 m"]]):
        for column, text in enumerate(texts):
            pdf.text(62 + 90 * column, 214 + 20 * row, text, 10, "F" if row else "B")
    return pdf.data()


def read(page: "Page") -> None:
    page.click("#tab-document")
    page.set_input_files("#file", {"name": "a.pdf", "mimeType": "", "buffer": paper()})
    page.wait_for_selector(".sheet img")


def test_axe_would_find_something(open_page: Open, axe: str) -> None:
    page = open_page()
    page.evaluate("document.querySelector('main').append(document.createElement('button'))")
    with pytest.raises(AssertionError, match="button-name"):
        check(page, axe)


@pytest.mark.parametrize(("scheme", "locale"), LOOKS)
def test_axe_finds_nothing(open_page: Open, axe: str, scheme: str, locale: str) -> None:
    page = open_page(color_scheme=scheme, locale=locale)
    page.wait_for_selector('#health[data-status="ok"]')
    check(page, axe)
    settle(page)
    say(page)
    check(page, axe)
    page.click("#open-key")
    check(page, axe)
    page.keyboard.press("Escape")
    page.click("#tab-document")
    check(page, axe)
    read(page)
    check(page, axe)
    page.click("#tab-ask")
    check(page, axe)
    page.click("#tab-model")
    page.wait_for_selector(".card")
    page.locator("summary").click()
    check(page, axe)


def test_narrow_screen(open_page: Open, axe: str) -> None:
    page = open_page(viewport=NARROW, has_touch=True)
    fits = "() => document.documentElement.scrollWidth <= innerWidth"
    assert not page.locator("#settings").is_visible()
    page.click("#open-settings")
    assert page.locator("#set-temperature").is_visible()
    check(page, axe)
    page.keyboard.press("Escape")
    assert not page.locator("#settings").is_visible()
    settle_hidden = "() => { document.querySelector('#set-max_tokens').value = '16'; }"
    page.evaluate(settle_hidden)
    say(page)
    assert page.evaluate(fits)
    read(page)
    assert page.evaluate(fits)
    page.click("#tab-model")
    page.wait_for_selector(".card")
    assert page.evaluate(fits)
    assert page.locator(".kin-lines path").count() == 2
    check(page, axe)


def test_keyboard_alone(open_page: Open) -> None:
    page = open_page(path="/#document")
    page.locator(".skip").focus()
    assert page.locator(".skip").bounding_box()["y"] >= 0  # seen once it is reached
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "tab-document"
    page.keyboard.press("ArrowRight")
    assert page.locator("#model").is_visible()
    page.keyboard.press("Home")
    assert page.locator("#chat").is_visible()
    seen = []
    for _ in range(16):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.id || document.activeElement.className"))
    order = ["open-key", "theme", "language", "scroll", "message", "send", "set-system"]
    assert [name for name in seen if name in order] == order
    assert page.url.endswith("#chat")


def test_language_and_look_are_remembered(open_page: Open) -> None:
    page = open_page(color_scheme="light")
    assert page.locator("html").get_attribute("lang") == "en"
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.click("#language")
    assert page.get_by_role("tab", name="대화").is_visible()
    assert page.get_by_role("textbox", name="메시지", exact=True).is_visible()
    page.click("#theme")
    page.click("#theme")
    assert page.get_by_role("button", name="화면: 어둡게").is_visible()
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert dark != light
    page.reload()
    assert page.locator("html").get_attribute("lang") == "ko"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == dark
    page.click("#language")
    assert page.get_by_role("tab", name="Chat").is_visible()


def test_browser_language_is_the_first_choice(open_page: Open) -> None:
    page = open_page(locale="ko-KR")
    assert page.get_by_role("heading", name="무엇이든 물어보세요").is_visible()


def strings(name: str) -> dict[str, str]:
    text = (PAGE / "js" / f"{name}.js").read_text(encoding="utf-8")
    return dict(re.findall(r'^  "([^"]+)": "((?:[^"\\]|\\.)*)",?$', text, re.MULTILINE))


def test_both_languages_say_everything() -> None:
    english, korean = strings("en"), strings("ko")
    assert len(english) > 150
    assert list(english) == list(korean)
    blanks = re.compile(r"\{\w+\}")
    for key, text in english.items():
        assert sorted(blanks.findall(text)) == sorted(blanks.findall(korean[key])), key
    used = set(re.findall(r'data-t(?:-\w+)?="([^"]+)"', (PAGE / "index.html").read_text()))
    for file in (PAGE / "js").iterdir():
        code = file.read_text(encoding="utf-8")
        used |= set(re.findall(r'\b(?:t|bind\(.*\), ?|tool)\("([a-z_.]+)"', code))
    assert used <= set(english) | {"health."}
