// The chat: what is typed, what is answered, and what may be done meanwhile.
import { answer } from "./answer.js";
import { Conversation } from "./conversation.js";
import { byId, h, icon, say } from "./dom.js";
import { modelName } from "./health.js";
import { number, onLanguage, t } from "./i18n.js";
import { clearNotice, showFault } from "./notice.js";
import { sampling, systemPrompt } from "./settings.js";
import { Reader } from "./speech.js";
import { TurnView } from "./turn.js";

const IDEAS = ["idea.1", "idea.2", "idea.3", "idea.4"];

class Chat {
  constructor() {
    this.conversation = new Conversation();
    this.running = null;
    this.notice = byId("chat-notice");
    this.input = byId("message");
    this.list = byId("turns");
    this.scroll = byId("scroll");
    this.draw();
  }

  draw() {
    this.list.replaceChildren(...this.conversation.turns.map((turn) => this.view(turn).root));
    this.follow(true);
    this.refresh();
  }

  view(turn) {
    const place = () => this.conversation.turns.indexOf(turn);
    return new TurnView(turn, {
      again: () => this.restart(place()),
      edit: (text) => this.restart(place(), text),
    });
  }

  refresh() {
    const busy = this.running !== null;
    byId("welcome").hidden = this.conversation.turns.length > 0;
    byId("send").hidden = busy;
    byId("stop").hidden = !busy;
    byId("new-chat").hidden = !this.conversation.turns.length;
  }

  // Keep the end in view, unless the person has scrolled up to read.
  follow(force = false) {
    const left = this.scroll.scrollHeight - this.scroll.scrollTop - this.scroll.clientHeight;
    if (force || left < 120) this.scroll.scrollTop = this.scroll.scrollHeight;
  }

  submit(text) {
    if (this.running || !text.trim()) return;
    this.input.value = "";
    grow(this.input);
    this.list.append(this.view(this.conversation.add("user", text.trim())).root);
    this.run();
  }

  // Answer anew from a place on; a person's turn may have been changed.
  restart(place, text = null) {
    this.stop();
    const turn = this.conversation.turns[place];
    this.conversation.cut(turn.role === "user" ? place : this.lastUser(place) + 1);
    if (turn.role === "user") this.conversation.add("user", text ?? turn.content);
    this.draw();
    this.run();
  }

  lastUser(place) {
    while (place > 0 && this.conversation.turns[place].role !== "user") place--;
    return place;
  }

  async run() {
    clearNotice(this.notice);
    const messages = this.conversation.messages(systemPrompt(), this.conversation.turns.length);
    const turn = this.conversation.add("assistant", "");
    const view = this.view(turn);
    this.list.append(view.root);
    const run = { control: new AbortController(), turn, view, frame: 0, reader: new Reader() };
    this.running = run;
    view.busy(true);
    this.refresh();
    this.follow(true);
    try {
      const body = { model: modelName(), messages, ...sampling() };
      turn.facts = await answer(body, run.control.signal, (text, speed) =>
        this.grown(run, text, speed),
      );
      this.end(run, null);
    } catch (fault) {
      this.end(run, fault);
    }
  }

  grown(run, text, speed) {
    run.turn.content = text;
    run.speed = speed;
    run.frame ||= requestAnimationFrame(() => {
      run.frame = 0;
      run.view.set(run.turn.content);
      run.reader.grown(run.turn.content);
      if (run.speed) byId("speed").textContent = t("chat.about", { speed: number(run.speed, 1) });
      this.follow();
    });
  }

  end(run, fault) {
    cancelAnimationFrame(run.frame);
    const stopped = fault?.name === "AbortError";
    if (stopped) run.turn.facts = { reason: "stopped", speed: run.speed };
    run.view.set(run.turn.content);
    run.view.busy(false);
    run.view.showFacts();
    if (this.running === run) this.running = null;
    byId("speed").textContent = "";
    if (fault && !stopped) this.fail(run, fault);
    else if (stopped) say(t("chat.ended"));
    else run.reader.end(run.turn.content, run.turn.facts);
    this.conversation.keep();
    this.refresh();
    this.follow();
  }

  // Say what went wrong; an answer that never began leaves no empty turn behind.
  fail(run, fault) {
    const place = this.conversation.turns.indexOf(run.turn);
    if (!run.turn.content && place !== -1) {
      this.conversation.cut(place);
      run.view.root.remove();
    }
    showFault(this.notice, fault, () => {
      if (this.conversation.turns.at(-1)?.role === "user") this.run();
      else this.restart(this.conversation.turns.length - 1);
    });
  }

  stop() {
    this.running?.control.abort();
    this.running = null;
  }

  clear() {
    this.stop();
    this.conversation.cut(0);
    clearNotice(this.notice);
    this.draw();
    this.input.focus();
  }
}

function grow(area) {
  area.rows = Math.min(8, Math.max(1, area.value.split("\n").length));
}

function ideas(chat) {
  byId("ideas").replaceChildren(
    ...IDEAS.map((name) =>
      h("button", {
        type: "button",
        class: "idea",
        text: t(name),
        on: { click: () => chat.submit(t(name)) },
      }),
    ),
  );
}

export function startChat() {
  byId("send").append(icon("send"));
  byId("stop").append(icon("stop"));
  const chat = new Chat();
  byId("composer").addEventListener("submit", (event) => {
    event.preventDefault();
    chat.submit(chat.input.value);
  });
  chat.input.addEventListener("input", () => grow(chat.input));
  chat.input.addEventListener("keydown", (event) => {
    // Enter also ends the writing of a Korean syllable: that one sends nothing
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229)
      return;
    event.preventDefault();
    chat.submit(chat.input.value);
  });
  byId("stop").addEventListener("click", () => {
    chat.stop();
    chat.input.focus();
  });
  byId("chat").addEventListener("keydown", (event) => {
    if (event.key === "Escape" && chat.running) chat.stop();
  });
  byId("new-chat").addEventListener("click", () => chat.clear());
  onLanguage(() => {
    ideas(chat);
    if (!chat.running) chat.draw();
  });
  ideas(chat);
}
