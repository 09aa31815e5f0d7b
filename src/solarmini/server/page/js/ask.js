// Ask a document: it goes into the knowledge base once, answers name sources, sources have places.
import { ask, send } from "./api.js";
import { h, say } from "./dom.js";
import { modelName } from "./health.js";
import { bind, number, t } from "./i18n.js";
import { clearNotice, showFault } from "./notice.js";
import { events } from "./sse.js";

const MARK = /\[(\d{1,3})\]/g;
const QUOTE = 320; // characters shown of a source
const TURNS = 6; // exchanges that a question may refer to

export class AskPane {
  constructor(file, pages) {
    this.file = file;
    this.pages = pages;
    this.record = null;
    this.history = [];
    this.input = h("textarea", {
      id: "question",
      rows: "2",
      "data-t-placeholder": "ask.placeholder",
    });
    this.button = bind(h("button", { type: "submit", class: "primary" }), "ask.send");
    this.worded = h("input", { type: "checkbox", id: "worded" });
    this.notice = h("div");
    this.status = h("p", { class: "help", role: "status" });
    this.talk = h("div", { class: "asked" }, bind(h("p", { class: "help" }), "ask.intro"));
    this.form = h(
      "form",
      { class: "ask-form" },
      bind(h("label", { for: "question" }), "ask.label"),
      this.input,
      this.button,
      h("label", { class: "check" }, this.worded, bind(h("span"), "ask.worded")),
    );
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.ask(this.input.value.trim());
    });
    this.input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.form.requestSubmit();
    });
    this.root = h("div", { class: "ask" }, this.form, this.notice, this.status, this.talk);
  }

  async ask(question) {
    if (!question || this.busy) return;
    this.busy = true;
    this.button.disabled = true;
    clearNotice(this.notice);
    const host = h(
      "article",
      { class: "exchange" },
      h("h3", { class: "question", text: question }),
    );
    try {
      await this.add();
      this.status.textContent = t("ask.finding");
      const answer = await this.answerTo(question, host);
      this.history.push({ question, answer: answer.text });
      say(answer.text);
      this.input.value = "";
    } catch (fault) {
      host.remove();
      showFault(this.notice, fault, () => this.ask(question));
    } finally {
      this.busy = false;
      this.button.disabled = false;
      this.status.textContent = "";
    }
  }

  // Hand the document in, once.
  async add() {
    if (this.record) return;
    this.status.textContent = t("ask.adding");
    const form = new FormData();
    form.append("document", this.file, this.file.name);
    this.record = await ask("/v1/documents", { form });
  }

  // Ask about this document alone; every statement is drawn as soon as it is proven.
  async answerTo(question, host) {
    const json = {
      question,
      history: this.history.slice(-TURNS),
      stream: true,
      filters: { sources: [`*/${this.record.sha256.slice(0, 16)}/*`] },
    };
    if (this.worded.checked) json.model = modelName();
    const response = await send("/v1/answers", { json });
    let answer = { text: "", sources: [], mode: null, dropped: 0, warnings: [] };
    for await (const event of events(response)) {
      if (event.object === "answer") answer = answerOf(event);
      else
        answer = {
          ...answer,
          text: `${answer.text} ${statementOf(event)}`.trim(),
          sources: merged([...answer.sources, ...event.citations.map(sourceOf)]),
        };
      if (!host.isConnected) this.talk.prepend(host);
      this.fill(host, answer);
    }
    return answer;
  }

  fill(host, answer) {
    const byNumber = new Map(answer.sources.map((source) => [source.number, source]));
    const text = h("div", { class: "prose" }, h("p", { text: answer.text }));
    for (const node of textsIn(text)) this.mark(node, byNumber);
    const sources = answer.sources.length
      ? h(
          "div",
          { class: "sources" },
          bind(h("h3"), "ask.sources"),
          h(
            "ol",
            {},
            answer.sources.map((source) => this.source(source)),
          ),
        )
      : null;
    const notes = [
      answer.sources.length && answer.mode ? modeOf(answer.mode) : null,
      answer.dropped ? t("ask.dropped", { count: number(answer.dropped) }) : null,
    ].filter(Boolean);
    const said = notes.length ? h("p", { class: "help", text: notes.join(" ") }) : null;
    const warned = answer.warnings.map((warning) => h("p", { class: "notice", text: warning }));
    host.replaceChildren(...[host.firstChild, text, said, sources, ...warned].filter(Boolean));
  }

  // Turn "[2]" in an answer into a way to that source.
  mark(node, sources) {
    const parts = [];
    let last = 0;
    for (const found of node.data.matchAll(MARK)) {
      const source = sources.get(Number(found[1]));
      if (!source) continue;
      parts.push(
        node.data.slice(last, found.index),
        h("button", {
          type: "button",
          class: "mark",
          text: found[1],
          "aria-label": t("ask.go", { number: source.number, page: source.page }),
          on: { click: () => this.follow(source) },
        }),
      );
      last = found.index + found[0].length;
    }
    if (parts.length) node.replaceWith(...parts, node.data.slice(last));
  }

  source(source) {
    const own = !source.document || source.document === this.record.id;
    const place = own
      ? t("doc.page", { page: source.page })
      : t("ask.other", { name: source.name, page: source.page });
    const quote =
      source.text.length > QUOTE ? `${source.text.slice(0, QUOTE).trimEnd()}…` : source.text;
    const inside = [
      h("span", { class: "mark", text: String(source.number), "aria-hidden": "true" }),
      h("span", { class: "quote", text: quote }),
      h("span", { class: "place", text: place }),
    ];
    if (!own) return h("li", {}, h("div", { class: "source-card" }, inside));
    const label = t("ask.go", { number: source.number, page: source.page });
    return h(
      "li",
      {},
      h(
        "button",
        {
          type: "button",
          class: "source-card",
          "aria-label": `${label}: ${quote}`,
          on: { click: () => this.follow(source) },
        },
        inside,
      ),
    );
  }

  follow(source) {
    this.pages.cite(source.places);
  }
}

const statementOf = (event) =>
  `${event.text} ${[...new Set(event.citations.map((one) => `[${one.number}]`))].join("")}`;

const modeOf = (mode) =>
  mode === "extractive" ? t("ask.extractive") : t("ask.worded.by", { model: mode });

function answerOf(said) {
  return {
    text: said.answer,
    sources: merged(said.citations.map(sourceOf)),
    mode: said.mode,
    dropped: said.dropped.length,
    warnings: said.warnings,
  };
}

function sourceOf(one) {
  return {
    number: one.number,
    text: one.quote.trim(),
    page: one.page,
    places: [{ page: one.page, polygon: one.polygon }],
    document: one.document_id,
    name: one.source,
  };
}

// Citations of one passage share its number: one card with all quotes and places.
function merged(sources) {
  const found = new Map();
  for (const source of sources) {
    const same = found.get(source.number);
    if (!same) found.set(source.number, { ...source });
    else if (!same.text.includes(source.text)) {
      same.text = `${same.text} … ${source.text}`;
      same.places = [...same.places, ...source.places];
    }
  }
  return [...found.values()];
}

function textsIn(root) {
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode())
    if (!walker.currentNode.parentElement.closest("code, a")) found.push(walker.currentNode);
  return found;
}
