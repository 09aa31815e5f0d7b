"""Draw the pictures of docs/how-to/playground.md from a running server.

solar serve smollm2-135m && python docs/playground_pictures.py http://127.0.0.1:8000 chat document
solar serve runs/smollm2-demo/instructed && python docs/playground_pictures.py … card
"""

import argparse
import io
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright
from sample_page import sample

IMAGES = Path(__file__).parent / "images"
WIDE, NARROW = (1280, 800), (390, 844)
TIPS = "Give me three tips for sleeping well."
CODE = "Write a Python function that counts the words of a text."
ANSWERED = "#send:not([hidden])"


def main() -> None:
    """Draw all pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("parts", nargs="+", choices=["chat", "document", "card"])
    parser.add_argument("--chromium", default="/usr/bin/chromium")
    asked = parser.parse_args()
    with sync_playwright() as driver:
        arguments = ["--no-sandbox", "--disable-gpu"]
        browser = driver.chromium.launch(executable_path=asked.chromium, args=arguments)
        for part in asked.parts:
            {"chat": chats, "document": documents, "card": cards}[part](browser, asked.url)
        browser.close()


def opened(
    browser: Browser, url: str, size: tuple[int, int], *, dark: bool = False, korean: bool = False
) -> Page:
    """Open the page in a fresh profile."""
    settings: dict[str, Any] = {
        "viewport": {"width": size[0], "height": size[1]},
        "color_scheme": "dark" if dark else "light",
        "locale": "ko-KR" if korean else "en-US",
    }
    page = browser.new_context(**settings).new_page()
    page.goto(url)
    page.wait_for_selector('#health[data-status="ok"]', timeout=120_000)
    return page


def talk(page: Page, *questions: str) -> None:
    """Ask questions one after the other, each answered before the next."""
    page.evaluate(
        """() => {
          document.querySelector('#set-temperature').value = '0';
          document.querySelector('#set-max_tokens').value = '220';
          document.querySelector('#set-temperature').dispatchEvent(
            new Event('input', {bubbles: true}));
        }"""
    )
    for question in questions:
        page.fill("#message", question)
        page.keyboard.press("Enter")
        page.wait_for_selector(ANSWERED, timeout=120_000)


def chats(browser: Browser, url: str) -> None:
    """Draw the chat: light, dark in Korean, and on a telephone."""
    page = opened(browser, url, WIDE)
    talk(page, TIPS)
    save(page, "chat")
    page = opened(browser, url, WIDE, dark=True, korean=True)
    talk(page, CODE)
    save(page, "chat-korean-dark")
    page = opened(browser, url, NARROW)
    talk(page, TIPS)
    save(page, "chat-narrow")


def read(page: Page) -> None:
    """Hand in the sample document."""
    page.click("#tab-document")
    file: Any = {"name": "lighthouses.pdf", "mimeType": "application/pdf", "buffer": sample()}
    page.set_input_files("#file", file)
    page.wait_for_selector(".sheet img", timeout=120_000)


def documents(browser: Browser, url: str) -> None:
    """Draw a document with an element pointed at, and a citation that was followed."""
    page = opened(browser, url, WIDE)
    read(page)
    page.hover('.box[aria-label*="Two keepers"]')
    page.wait_for_timeout(300)
    save(page, "document")
    page.click("#tab-ask")
    page.fill("#question", "When is fog most frequent?")
    page.keyboard.press("Enter")
    page.locator("button.source-card").first.click(timeout=120_000)
    page.wait_for_timeout(1200)
    save(page, "citation")
    page = opened(browser, url, NARROW, dark=True)
    read(page)
    page.wait_for_timeout(300)
    save(page, "document-narrow")


def cards(browser: Browser, url: str) -> None:
    """Draw the model card."""
    for name, size in (("card", (1280, 1360)), ("card-narrow", NARROW)):
        page = opened(browser, url, size)
        page.click("#tab-model")
        page.wait_for_selector(".kin-lines path, .card", state="attached", timeout=120_000)
        page.wait_for_timeout(500)
        save(page, name)


def save(page: Page, name: str) -> None:
    """Write what is seen as a small PNG."""
    picture = Image.open(io.BytesIO(page.screenshot()))
    rgb, how = picture.convert("RGB"), Image.Quantize.MEDIANCUT
    few = rgb.quantize(256, how, kmeans=3, dither=Image.Dither.NONE)
    path = IMAGES / f"playground-{name}.png"
    few.save(path, optimize=True)
    print(path, path.stat().st_size)


if __name__ == "__main__":
    main()
