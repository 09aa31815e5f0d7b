// What was read: as HTML in a frame where nothing can run, as Markdown, as JSON.
import { copyText, h, icon } from "./dom.js";
import { bind, t } from "./i18n.js";
import { dark, onTheme } from "./look.js";

// The one place where markup is handed to the browser: into a sandboxed frame without scripts.
const policy = globalThis.trustedTypes?.createPolicy("solar-page", {
  createHTML: (markup) => markup,
}) ?? { createHTML: (markup) => markup };
const MOST_JSON = 200_000;

export class ResultPane {
  constructor(file, answer, selection) {
    this.selection = selection;
    this.answer = answer;
    const stem = file.name.replace(/\.[^.]+$/, "") || "document";
    this.rendered = this.frame();
    this.markdown = source(answer.content.markdown, `${stem}.md`, "text/markdown");
    this.json = source(JSON.stringify(answer, null, 2), `${stem}.json`, "application/json");
    selection.addEventListener("point", ({ detail }) => this.show(detail));
  }

  frame() {
    if (!this.answer.elements.length) return bind(h("p", { class: "help empty" }), "doc.empty");
    // same-origin lets this page reach into the frame; without allow-scripts nothing in it can run
    const frame = h("iframe", {
      class: "paper",
      sandbox: "allow-same-origin",
      referrerpolicy: "no-referrer",
      "data-t-label": "doc.frame",
      title: t("doc.frame"),
    });
    frame.srcdoc = policy.createHTML(this.markup());
    frame.addEventListener("load", () => this.wire(frame));
    onTheme(() => this.look());
    this.host = frame;
    return frame;
  }

  markup() {
    const parts = this.answer.elements.map(
      (element) =>
        `<div class="element" data-id="${Number(element.id)}">${element.content.html}</div>`,
    );
    return `<!DOCTYPE html><html><head><meta charset="utf-8"><title>-</title><link rel="stylesheet" href="/page/css/frame.css"></head><body><main>${parts.join("\n")}</main></body></html>`;
  }

  get inside() {
    return this.host?.contentDocument ?? null;
  }

  look() {
    if (this.inside) this.inside.documentElement.className = dark() ? "dark" : "";
  }

  wire(frame) {
    const inside = frame.contentDocument;
    if (!inside) return;
    inside.documentElement.lang = document.documentElement.lang;
    inside.title = t("doc.frame");
    this.look();
    // a wide table is moved sideways, with the keyboard too
    for (const element of inside.querySelectorAll(".element:has(table)")) {
      element.tabIndex = 0;
      element.setAttribute("role", "region");
      element.setAttribute("aria-label", t("prose.table"));
    }
    const idOf = (event) => {
      const element = event.target.closest?.("[data-id]");
      return element ? Number(element.dataset.id) : null;
    };
    inside.addEventListener("pointerover", (event) => {
      const id = idOf(event);
      if (id !== null) this.selection.point(id, this);
    });
    inside.addEventListener("click", (event) => {
      event.preventDefault(); // a document's links lead nowhere from here
      const id = idOf(event);
      if (id !== null) this.selection.point(id, this, true);
    });
  }

  show({ id, from, scroll }) {
    const inside = this.inside;
    if (!inside) return;
    for (const old of inside.querySelectorAll(".on")) old.classList.remove("on");
    const element = id === null ? null : inside.querySelector(`[data-id="${Number(id)}"]`);
    element?.classList.add("on");
    if (element && from !== this) {
      const place = element.getBoundingClientRect();
      const seen = place.top >= 0 && place.bottom <= inside.documentElement.clientHeight;
      if (scroll || !seen) inside.documentElement.scrollTop += place.top - 80;
    }
  }
}

function source(text, name, type) {
  const copy = h(
    "button",
    { type: "button", class: "small" },
    icon("copy"),
    bind(h("span"), "copy"),
  );
  copy.addEventListener("click", async () => {
    const done = await copyText(text);
    copy.lastChild.textContent = t(done ? "copied" : "copy.failed");
    setTimeout(() => (copy.lastChild.textContent = t("copy")), 1600);
  });
  const save = h(
    "button",
    { type: "button", class: "small" },
    icon("save"),
    bind(h("span"), "doc.save"),
  );
  save.addEventListener("click", () => {
    const url = URL.createObjectURL(new Blob([text], { type }));
    h("a", { href: url, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(url), 10_000);
  });
  const shown = text.length > MOST_JSON ? `${text.slice(0, MOST_JSON)}\n…` : text;
  return h(
    "div",
    { class: "source" },
    h("div", { class: "source-bar" }, copy, save),
    h("pre", { tabindex: "0", text: shown }),
  );
}
