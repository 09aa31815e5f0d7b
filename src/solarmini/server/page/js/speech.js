// What a screen reader hears of a growing answer: whole sentences, not every token.
import { say } from "./dom.js";
import { number, t } from "./i18n.js";

const SENTENCE = /[^]*?(?:[.!?。！？][)"'”’]?\s|\n\n)/y;

export class Reader {
  constructor() {
    this.said = 0;
  }

  grown(text) {
    for (;;) {
      SENTENCE.lastIndex = this.said;
      const found = SENTENCE.exec(text);
      if (!found) return;
      this.said = SENTENCE.lastIndex;
      this.speak(found[0]);
    }
  }

  end(text, facts) {
    this.speak(text.slice(this.said));
    this.said = text.length;
    say(
      t("chat.done", {
        count: number(facts.tokens),
        speed: facts.speed ? number(facts.speed, 1) : "?",
      }),
    );
  }

  speak(text) {
    const plain = text
      .replace(/[`*_#>|~-]+/g, " ")
      .replace(/\s+/g, " ")
      .trim();
    if (plain) say(plain);
  }
}
