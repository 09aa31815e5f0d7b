// Markdown blocks → elements, and a view that follows a growing text.
import { copyText, h, icon } from "./dom.js";
import { t } from "./i18n.js";
import { inline } from "./inline.js";
import { blocks } from "./markdown.js";

export function element(block) {
  switch (block.kind) {
    case "heading":
      // the page has its own first levels: an answer's headings come below them
      return h(
        `h${Math.min(block.level + 2, 6)}`,
        { class: `as-${block.level}` },
        inline(block.text),
      );
    case "rule":
      return h("hr");
    case "code":
      return codeBlock(block);
    case "quote":
      return h("blockquote", {}, block.blocks.map(element));
    case "list":
      return list(block);
    case "table":
      return table(block);
    default:
      return h("p", {}, inline(block.text));
  }
}

export function prose(text) {
  return blocks(text).map(element);
}

function list(block) {
  const items = block.items.map((inside) => {
    const tight = !block.loose && inside[0]?.kind === "paragraph";
    const first = tight ? inline(inside[0].text) : [];
    return h("li", {}, first, inside.slice(tight ? 1 : 0).map(element));
  });
  if (!block.ordered) return h("ul", {}, items);
  return h("ol", { start: block.start === 1 ? null : block.start }, items);
}

function table(block) {
  const cell = (tag, text, column) =>
    h(
      tag,
      {
        class: block.align[column] ? `to-${block.align[column]}` : null,
        scope: tag === "th" ? "col" : null,
      },
      inline(text),
    );
  const head = h(
    "thead",
    {},
    h(
      "tr",
      {},
      block.head.map((text, column) => cell("th", text, column)),
    ),
  );
  const body = h(
    "tbody",
    {},
    block.rows.map((row) =>
      h(
        "tr",
        {},
        row.map((text, column) => cell("td", text, column)),
      ),
    ),
  );
  return h(
    "div",
    { class: "wide", tabindex: "0", role: "region", "aria-label": t("prose.table") },
    h("table", {}, head, body),
  );
}

function codeBlock(block) {
  const copy = h(
    "button",
    { type: "button", class: "small" },
    icon("copy"),
    h("span", { text: t("copy") }),
  );
  copy.addEventListener("click", async () => {
    const done = await copyText(block.text);
    copy.lastChild.textContent = t(done ? "copied" : "copy.failed");
    setTimeout(() => (copy.lastChild.textContent = t("copy")), 1600);
  });
  const bar = h(
    "div",
    { class: "code-bar" },
    h("span", { text: block.language || t("prose.code") }),
    copy,
  );
  const inside = h("pre", { tabindex: "0" }, h("code", { text: block.text }));
  return h("div", { class: "code" }, bar, inside);
}

// Shows a text that grows: blocks whose source did not change keep their elements.
export class ProseView {
  constructor(host) {
    this.host = host;
    this.shown = [];
  }

  set(text) {
    const next = blocks(text);
    let same = 0;
    while (same < this.shown.length && same < next.length && this.shown[same] === next[same].source)
      same++;
    while (this.host.childNodes.length > same) this.host.lastChild.remove();
    for (const block of next.slice(same)) this.host.append(element(block));
    this.shown = next.map((block) => block.source);
  }
}
