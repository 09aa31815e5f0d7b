// The turns of a conversation, kept in this tab.
import { tab } from "./store.js";

export class Conversation {
  constructor() {
    this.turns = tab.get("turns", []);
  }

  keep() {
    tab.set(
      "turns",
      this.turns.map(({ role, content, facts }) => ({ role, content, facts })),
    );
  }

  add(role, content) {
    const turn = { role, content, facts: null };
    this.turns.push(turn);
    this.keep();
    return turn;
  }

  // Forget the turn at `place` and all after it.
  cut(place) {
    this.turns.length = place;
    this.keep();
  }

  // What the model is told: the system prompt, then all turns before `place` that say something.
  messages(system, place) {
    const said = this.turns.slice(0, place).map(({ role, content }) => ({ role, content }));
    return [
      ...(system ? [{ role: "system", content: system }] : []),
      ...said.filter(({ role, content }) => role === "user" || content),
    ];
  }
}
