// Inline Markdown → nodes. Only text nodes and a fixed set of elements are ever made.
import { h } from "./dom.js";

const ESCAPED = /[!-/:-@[-`{-~]/;
const LINK = /^(https?:\/\/|mailto:)/i;
const BARE = /https?:\/\/[^\s<>"'`|\\^{}]+/iy;
const DEEPEST = 8;

// Nodes of a piece of text; `depth` bounds what is nested.
export function inline(text, depth = 0) {
  return new Inline(text, depth).nodes();
}

class Inline {
  constructor(text, depth) {
    this.text = text;
    this.depth = depth;
    this.at = 0;
    this.plain = "";
    this.made = [];
    this.missing = new Set(); // marks that nothing closes from here on: looked for once
  }

  nodes() {
    if (this.depth > DEEPEST) return [document.createTextNode(this.text)];
    while (this.at < this.text.length) {
      if (!this.special()) this.plain += this.text[this.at++];
    }
    this.flush();
    return this.made;
  }

  flush() {
    if (this.plain) this.made.push(document.createTextNode(this.plain));
    this.plain = "";
  }

  put(node, to) {
    this.flush();
    this.made.push(node);
    this.at = to;
    return true;
  }

  special() {
    switch (this.text[this.at]) {
      case "\\":
        return this.escape();
      case "`":
        return this.code();
      case "*":
      case "_":
      case "~":
        return this.emphasis();
      case "!":
        return this.text[this.at + 1] === "[" && this.link(this.at + 1);
      case "[":
        return this.link(this.at);
      case "<":
        return this.angled();
      case "h":
      case "H":
        return this.bare();
      case "\n":
        return this.lineBreak();
      default:
        return false;
    }
  }

  escape() {
    const next = this.text[this.at + 1];
    if (next === "\n") return this.put(h("br"), this.at + 2);
    if (next === undefined || !ESCAPED.test(next)) return false;
    this.plain += next;
    this.at += 2;
    return true;
  }

  lineBreak() {
    if (!this.plain.endsWith("  ")) return false;
    this.plain = this.plain.trimEnd();
    return this.put(h("br"), this.at + 1);
  }

  run(mark) {
    let end = this.at;
    while (this.text[end] === mark) end++;
    return this.text.slice(this.at, end);
  }

  code() {
    const ticks = this.run("`");
    let end = this.missing.has(ticks) ? -1 : this.at + ticks.length;
    while (end !== -1) {
      end = this.text.indexOf(ticks, end);
      if (end === -1) break;
      let after = end;
      while (this.text[after] === "`") after++;
      if (after - end === ticks.length) break;
      end = after;
    }
    if (end === -1) {
      this.missing.add(ticks);
      this.plain += ticks;
      this.at += ticks.length;
      return true;
    }
    let inside = this.text.slice(this.at + ticks.length, end).replaceAll("\n", " ");
    if (/^ .* $/.test(inside) && inside.trim()) inside = inside.slice(1, -1);
    return this.put(h("code", { text: inside }), end + ticks.length);
  }

  emphasis() {
    const mark = this.text[this.at];
    const run = this.run(mark);
    for (const size of mark === "~" ? [2] : [3, 2, 1]) {
      if (run.length < size) continue;
      const fence = mark.repeat(size);
      const end = this.closing(fence, mark);
      if (end === -1) continue;
      const inside = this.text.slice(this.at + size, end);
      return this.put(emphasised(fence, inline(inside, this.depth + 1)), end + size);
    }
    this.plain += run;
    this.at += run.length;
    return true;
  }

  // Where `fence` ends what begins here; -1 if nothing does.
  closing(fence, mark) {
    const start = this.at + fence.length;
    if (!this.text[start] || /\s/.test(this.text[start])) return -1;
    if (mark === "_" && /[\p{L}\p{N}]/u.test(this.text[this.at - 1] ?? "")) return -1;
    if (this.missing.has(fence)) return -1;
    for (let end = start + 1; (end = this.text.indexOf(fence, end)) !== -1; end++) {
      const before = this.text[end - 1];
      const after = this.text[end + fence.length] ?? "";
      if (after === mark && fence.length === 1) {
        while (this.text[end + 1] === mark) end++; // a longer run belongs to something inside
        continue;
      }
      if (/\s/.test(before) || before === "\\") continue;
      if (mark === "_" && /[\p{L}\p{N}]/u.test(after)) continue;
      // of three at the end the first closes what is inside
      return fence.length === 2 && after === mark ? end + 1 : end;
    }
    this.missing.add(fence);
    return -1;
  }

  link(open) {
    if (this.missing.has("[")) return false;
    const close = this.bracketEnd(open);
    if (close === -1) {
      this.missing.add("[");
      return false;
    }
    const found = this.text
      .slice(close + 1, close + 2100)
      .match(/^\(\s*<?([^\s<>()]*(?:\([^\s<>()]*\)[^\s<>()]*)*)>?(?:\s+(?:"[^"]*"|'[^']*'))?\s*\)/);
    if (!found) return false;
    const label = this.text.slice(open + 1, close);
    return this.put(
      anchor(found[1], label ? inline(label, this.depth + 1) : [found[1]]),
      close + 1 + found[0].length,
    );
  }

  bracketEnd(open) {
    let depth = 0;
    const limit = Math.min(this.text.length, open + 2000);
    for (let at = open; at < limit; at++) {
      if (this.text[at] === "\\") at++;
      else if (this.text[at] === "[") depth++;
      else if (this.text[at] === "]" && --depth === 0) return at;
    }
    return -1;
  }

  angled() {
    const found = this.text
      .slice(this.at, this.at + 2000)
      .match(/^<((?:https?:\/\/|mailto:)[^\s<>]+)>/i);
    return found ? this.put(anchor(found[1], [found[1]]), this.at + found[0].length) : false;
  }

  bare() {
    BARE.lastIndex = this.at;
    const found = BARE.exec(this.text);
    if (!found || /\w/.test(this.text[this.at - 1] ?? "")) return false;
    let address = found[0].replace(/[.,:;!?*_~'"]+$/, "");
    while (address.endsWith(")") && address.split(")").length > address.split("(").length)
      address = address.slice(0, -1);
    return this.put(anchor(address, [address]), this.at + address.length);
  }
}

function emphasised(fence, nodes) {
  if (fence === "~~") return h("del", {}, nodes);
  if (fence.length === 3) return h("em", {}, h("strong", {}, nodes));
  return h(fence.length === 2 ? "strong" : "em", {}, nodes);
}

// A link goes to the web or to a mail program, and nowhere until somebody follows it; an address
// of any other kind is shown as the text that it is.
function anchor(address, label) {
  if (!LINK.test(address)) return h("span", { class: "unlinked" }, label, ` (${address})`);
  return h(
    "a",
    { href: address, target: "_blank", rel: "noopener noreferrer nofollow", title: address },
    label,
  );
}
