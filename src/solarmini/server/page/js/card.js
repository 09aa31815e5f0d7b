// The model card: facts, family tree, growth, loss curves, scores.
import { ask } from "./api.js";
import { curves } from "./curve.js";
import { byId, h } from "./dom.js";
import { growth } from "./growth.js";
import { language, number, onLanguage, t } from "./i18n.js";
import { lineage } from "./lineage.js";
import { showFault } from "./notice.js";
import { scores } from "./scores.js";

// 134,515,008 → 134.5 M
export function short(value) {
  return new Intl.NumberFormat(language(), {
    notation: "compact",
    maximumFractionDigits: 1,
  }).format(value);
}

function bytes(value) {
  for (const [size, unit] of [
    [2 ** 30, "GiB"],
    [2 ** 20, "MiB"],
    [2 ** 10, "KiB"],
  ]) {
    if (value >= size) return `${number(value / size, value >= 10 * size ? 0 : 1)} ${unit}`;
  }
  return `${value} B`;
}

function day(text) {
  const date = new Date(text);
  return Number.isNaN(date.getTime())
    ? text
    : new Intl.DateTimeFormat(language(), { dateStyle: "medium" }).format(date);
}

function facts(card) {
  const template = card.template ? (card.template.name ?? t("card.template.own")) : null;
  const rows = [
    ["parameters", card.parameters && short(card.parameters)],
    ["layers", card.layers && number(card.layers)],
    ["context", card.serving.context && number(card.serving.context)],
    ["parallel", card.serving.parallel && number(card.serving.parallel)],
    ["size", card.bytes && bytes(card.bytes)],
    ["architecture", card.architecture],
    ["licence", card.licence ?? t("card.unknown")],
    ["template", template],
    ["created", card.created && day(card.created)],
  ];
  return h(
    "dl",
    { class: "facts-grid" },
    rows
      .filter(([, value]) => value)
      .map(([name, value]) =>
        h("div", {}, h("dt", { text: t(`card.${name}`) }), h("dd", { text: value })),
      ),
  );
}

// A part of the card; without content, the words that say so.
function part(title, content, none) {
  if (!content && !none) return null;
  return h(
    "section",
    { class: "card-part" },
    h("h3", { text: t(title) }),
    content ?? h("p", { class: "help" }, ...ticks(t(none))),
  );
}

// `code` in our own texts.
function ticks(text) {
  return text.split("`").map((piece, place) => (place % 2 ? h("code", { text: piece }) : piece));
}

function data(card) {
  if (!card.data?.length) return null;
  const rows = card.data.map((one) =>
    h(
      "li",
      {},
      h("b", { text: one.name }),
      ` ${t("card.rows", { count: number(one.rows) })}, ${one.licence ?? t("card.unknown")}`,
    ),
  );
  return h("ul", { class: "data-list" }, rows);
}

class Card {
  constructor(host) {
    this.host = host;
    this.card = null;
    this.loading = false;
  }

  async show() {
    if (this.card || this.loading) return;
    this.loading = true;
    this.host.replaceChildren(h("p", { class: "help", role: "status", text: t("card.loading") }));
    try {
      this.card = await ask("/v1/model-card");
      this.draw();
    } catch (fault) {
      if (fault.status === 503) return; // asked for again when the model is there
      showFault(this.host, fault, () => this.show());
    } finally {
      this.loading = false;
    }
  }

  draw() {
    const card = this.card;
    if (!card) return;
    const stage = card.stage ? h("span", { class: "badge", text: t(`stage.${card.stage}`) }) : null;
    const head = h(
      "header",
      { class: "card-head" },
      h(
        "div",
        {},
        h("h2", { text: card.name }),
        stage,
        h("span", { class: "badge served", text: t("card.served") }),
      ),
      facts(card),
    );
    this.host.replaceChildren(
      h(
        "div",
        { class: "card" },
        ...[
          head,
          part("card.lineage", lineage(card), "card.lineage.none"),
          part("card.growth", growth(card.growth)),
          part("card.curves", curves(card.curves), "card.curves.none"),
          part("card.scores", scores(card.scores), "card.scores.none"),
          part("card.data", data(card)),
        ].filter(Boolean),
      ),
    );
  }
}

export function startCard() {
  const card = new Card(byId("model"));
  onLanguage(() => card.draw());
  const anew = () => {
    card.card = null;
    if (!byId("model").hidden) card.show();
  };
  document.addEventListener("solar:key", anew);
  document.addEventListener("solar:ready", anew);
  return card;
}
