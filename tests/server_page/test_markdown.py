"""Markdown: what comes out, that nothing can run, that growing text ends where whole text does."""

import time
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Page

RENDER = """async (text) => {
  const { prose } = await import('/page/js/prose.js');
  const host = document.createElement('div');
  host.append(...prose(text));
  return host.innerHTML;
}"""
GROW = """async (text) => {
  const { ProseView, prose } = await import('/page/js/prose.js');
  const [grown, whole] = [document.createElement('div'), document.createElement('div')];
  const view = new ProseView(grown);
  for (let end = 1; end <= text.length; end++) {
    const kept = [...grown.children].slice(0, -2);
    view.set(text.slice(0, end));
    if (kept.some((node, place) => grown.children[place] !== node)) return ['redrawn', end];
  }
  whole.append(...prose(text));
  return [grown.innerHTML, whole.innerHTML];
}"""
A = 'target="_blank" rel="noopener noreferrer nofollow"'


def link(address: str, text: str) -> str:
    return f'<a href="{address}" {A} title="{address}">{text}</a>'


CASES = {
    "plain *em* **strong** ***both*** ~~gone~~": "<p>plain <em>em</em> <strong>strong</strong> "
    "<em><strong>both</strong></em> <del>gone</del></p>",
    "**a *b* c** and *d **e** f*": "<p><strong>a <em>b</em> c</strong> and "
    "<em>d <strong>e</strong> f</em></p>",
    "2 * 3 * 4 and snake_case_name": "<p>2 * 3 * 4 and snake_case_name</p>",
    "**bold *inner***": "<p><strong>bold <em>inner</em></strong></p>",
    r"\*not em\* and `a*b*` and ``x`y``": "<p>*not em* and <code>a*b*</code> and "
    "<code>x`y</code></p>",
    "# One\ntext\n## Two #": '<h3 class="as-1">One</h3><p>text</p><h4 class="as-2">Two</h4>',
    "Title\n=====\nbody": '<h3 class="as-1">Title</h3><p>body</p>',
    "- a\n- b\n  - c\n- d": "<ul><li>a</li><li>b<ul><li>c</li></ul></li><li>d</li></ul>",
    "3. c\n4. d": '<ol start="3"><li>c</li><li>d</li></ol>',
    "1. a\n\n   more\n2. b": "<ol><li><p>a</p><p>more</p></li><li><p>b</p></li></ol>",
    "- a\n\n- b": "<ul><li><p>a</p></li><li><p>b</p></li></ul>",
    "- a\n* b": "<ul><li>a</li></ul><ul><li>b</li></ul>",
    "In 2024\n2025. was next": "<p>In 2024\n2025. was next</p>",
    "> quoted\n> twice\n\nafter": "<blockquote><p>quoted\ntwice</p></blockquote><p>after</p>",
    "a\n\n---\n\nb": "<p>a</p><hr><p>b</p>",
    "line  \nbreak": "<p>line<br>break</p>",
    "[text](https://a.b/c_d)": f"<p>{link('https://a.b/c_d', 'text')}</p>",
    "see https://a.b/c. Or <https://d.e>": f"<p>see {link('https://a.b/c', 'https://a.b/c')}. Or "
    f"{link('https://d.e', 'https://d.e')}</p>",
    "(https://a.b/c)": f"<p>({link('https://a.b/c', 'https://a.b/c')})</p>",
    "![cat](https://a.b/c.png)": f"<p>{link('https://a.b/c.png', 'cat')}</p>",
    "한국어 **굵게** 쓰기": "<p>한국어 <strong>굵게</strong> 쓰기</p>",
}
HOSTILE = [
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "[x](javascript:alert(1)) [y](data:text/html,<script>) [z](vbscript:x)",
    '[a](https://x.y"onmouseover=alert(1))',
    "```html\n<script>alert(1)</script>\n```",
    "| <b>a</b> | b |\n|---|---|\n| <img src=x onerror=alert(1)> | `<i>` |",
    '<https://a.b/"><svg/onload=alert(1)>>',
    "&lt;script&gt; &amp; <!-- c --> <a href='javascript:1'>x</a>",
]
SAMPLE = """# Plan

Some *text* with `code` and **bold
words** over lines.

1. first
2. second
   - nested
   - list

| a | b |
|---|:-:|
| 1 | `x|y` |

```python
def f():
    return "1. no list"
```

> quoted
and lazy

---
end
"""
LONG = {
    "stars": "*a " * 10_000,
    "bolds": "**a" * 10_000,
    "brackets": "[" * 30_000,
    "links": "[a](" * 8_000,
    "ticks": "`a``b" * 6_000,
    "quotes": ">" * 20_000,
    "nested": "\n".join(" " * n + "- x" for n in range(300)),
    "rows": "|a|b|\n|-|-|\n" + "|x|y|\n" * 3_000,
    "lines": "a\n" * 15_000,
    "underscores": "_a" * 15_000,
    "words": "word " * 20_000,
}


@pytest.fixture(scope="module")
def page(browser: Any, api: Any) -> Any:
    opened = browser.new_page()
    opened.goto(f"http://127.0.0.1:{api.port}/")
    opened.wait_for_selector("html[data-ready]", state="attached")
    yield opened
    opened.close()


@pytest.mark.parametrize("text", CASES)
def test_rendered(page: "Page", text: str) -> None:
    assert page.evaluate(RENDER, text) == CASES[text]


def test_code_block_keeps_its_text_and_names_its_language(page: "Page") -> None:
    html = page.evaluate(RENDER, "```python\nif a < b:\n    c  = '**'\n```\nafter")
    assert "<span>python</span>" in html
    assert "<code>if a &lt; b:\n    c  = '**'</code>" in html
    assert html.endswith("<p>after</p>")


def test_open_code_block_is_code_already(page: "Page") -> None:
    assert "<code># no heading\n- no list</code>" in page.evaluate(
        RENDER, "```\n# no heading\n- no list"
    )


def test_table(page: "Page") -> None:
    html = page.evaluate(RENDER, "| a | b |\n|:--|--:|\n| `x|y` | **2** |\n| 3 |\n\nend")
    assert html.count("<tr>") == 3
    assert '<th class="to-right" scope="col">b</th>' in html
    assert '<td><code>x|y</code></td><td class="to-right"><strong>2</strong></td>' in html
    assert '<td>3</td><td class="to-right"></td>' in html
    assert html.endswith("<p>end</p>")


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_runs(page: "Page", text: str) -> None:
    found = page.evaluate(
        """async (text) => {
          const { prose } = await import('/page/js/prose.js');
          const host = document.createElement('div');
          host.append(...prose(text));
          document.body.append(host);
          const all = [...host.querySelectorAll('*')];
          const result = {
            tags: [...new Set(all.map((node) => node.localName))],
            handlers: all.flatMap((node) => [...node.attributes])
              .filter((attribute) => /^on/i.test(attribute.name)).length,
            addresses: all.filter((node) => node.href).map((node) => node.href),
            text: host.textContent,
          };
          host.remove();
          return result;
        }""",
        text,
    )
    allowed = {"p", "a", "span", "code", "pre", "div", "button", "svg", "path", "table", "thead"}
    assert set(found["tags"]) <= allowed | {"tbody", "tr", "th", "td", "em", "strong"}
    assert found["handlers"] == 0
    assert all(a.startswith(("https://", "http://", "mailto:")) for a in found["addresses"])
    if "```" not in text and "|" not in text and "](" not in text:
        assert "<" in found["text"] or "&" in found["text"]  # shown, not swallowed


def test_growing_text_ends_as_the_whole_and_keeps_what_is_done(page: "Page") -> None:
    grown, whole = page.evaluate(GROW, SAMPLE)
    assert grown != "redrawn", f"a finished block was drawn anew at {whole}"
    assert grown == whole


@pytest.mark.parametrize("name", LONG)
def test_hostile_length_is_bounded(page: "Page", name: str) -> None:
    began = time.monotonic()
    page.evaluate(RENDER, LONG[name])
    assert time.monotonic() - began < 5
