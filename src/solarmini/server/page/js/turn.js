// One turn on the page: what was said, and what can be done with it.
import { copyText, h, icon } from "./dom.js";
import { bind, number, t } from "./i18n.js";
import { ProseView } from "./prose.js";

function tool(name, glyph, act) {
  const label = bind(h("span"), name);
  return h("button", { type: "button", class: "small", on: { click: act } }, icon(glyph), label);
}

export class TurnView {
  // `acts` are edit(text) for a person's turn and again() for the model's.
  constructor(turn, acts) {
    this.turn = turn;
    this.acts = acts;
    this.mine = turn.role === "user";
    this.body = h("div", { class: this.mine ? "said" : "prose" });
    this.prose = this.mine ? null : new ProseView(this.body);
    this.meta = h("p", { class: "meta" });
    const who = bind(h("h2", { class: "hidden" }), this.mine ? "chat.you" : "chat.model");
    this.tools = h(
      "div",
      { class: "turn-tools" },
      this.mine
        ? [this.copy(), tool("chat.edit", "edit", () => this.edit())]
        : [this.copy(), tool("chat.again", "again", () => acts.again())],
    );
    this.root = h(
      "li",
      { class: `turn ${this.mine ? "user" : "assistant"}` },
      who,
      this.body,
      this.meta,
      this.tools,
    );
    this.set(turn.content);
    this.showFacts();
  }

  copy() {
    const button = tool("copy", "copy", async () => {
      const done = await copyText(this.turn.content);
      button.lastChild.textContent = t(done ? "copied" : "copy.failed");
      setTimeout(() => (button.lastChild.textContent = t("copy")), 1600);
    });
    return button;
  }

  set(text) {
    if (this.mine) this.body.textContent = text;
    else this.prose.set(text);
  }

  busy(on) {
    this.root.classList.toggle("busy", on);
    this.root.setAttribute("aria-busy", String(on));
    this.tools.hidden = on;
    if (on && !this.turn.content)
      this.body.replaceChildren(bind(h("p", { class: "thinking" }), "chat.thinking"));
    if (!on && !this.turn.content && !this.mine)
      this.body.replaceChildren(bind(h("p", { class: "thinking" }), "chat.empty"));
  }

  showFacts() {
    const facts = this.turn.facts;
    const words = facts
      ? [
          facts.tokens ? t("chat.tokens", { count: number(facts.tokens) }) : null,
          facts.speed ? t("chat.speed", { speed: number(facts.speed, 1) }) : null,
          facts.first ? t("chat.first", { seconds: number(facts.first, 2) }) : null,
          facts.reason === "length" ? t("chat.length") : null,
          facts.reason === "stopped" ? t("chat.stopped") : null,
        ].filter(Boolean)
      : [];
    this.meta.textContent = words.join(" · ");
    this.meta.hidden = !words.length;
  }

  edit() {
    const area = h("textarea", {
      rows: String(Math.min(12, this.turn.content.split("\n").length + 1)),
      "aria-label": t("chat.editing"),
    });
    area.value = this.turn.content;
    const back = (focus = true) => {
      form.replaceWith(this.body);
      this.tools.hidden = false;
      if (focus) this.tools.lastChild.focus();
    };
    const form = h(
      "form",
      { class: "edit" },
      area,
      h(
        "div",
        { class: "actions" },
        h("button", { type: "button", text: t("cancel"), on: { click: () => back() } }),
        h("button", { type: "submit", class: "primary", text: t("chat.save") }),
      ),
    );
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const text = area.value.trim();
      if (!text) return;
      back(false);
      this.acts.edit(text);
    });
    area.addEventListener("keydown", (event) => {
      if (event.key === "Escape") back();
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        form.requestSubmit();
      }
    });
    this.body.replaceWith(form);
    this.tools.hidden = true;
    area.focus();
    area.setSelectionRange(area.value.length, area.value.length);
  }
}
