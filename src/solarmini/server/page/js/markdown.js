// Block Markdown: text → blocks, each with its source, so that a growing answer only redraws its end.

const FENCE = /^( {0,3})(`{3,}|~{3,})\s*([^`]*)$/;
const HEADING = /^ {0,3}(#{1,6})(?:\s+(.*?))?\s*$/;
const RULE = /^ {0,3}([-*_])(?:\s*\1){2,}\s*$/;
const QUOTE = /^ {0,3}> ?/;
const ITEM = /^( {0,3})([-*+]|\d{1,9}[.)])(\s+|$)/;
const DELIMITER = /^ {0,3}\|?(?:\s*:?-+:?\s*\|)*\s*:?-+:?\s*\|?\s*$/;
const DEEPEST = 12;

// Blocks of a text: {kind, source, …}. Kinds: heading, rule, code, quote, list, table, paragraph.
export function blocks(text, depth = 0) {
  const lines = text.replace(/\r\n?/g, "\n").replaceAll("\t", "    ").split("\n");
  const found = [];
  let at = 0;
  while (at < lines.length) {
    if (!lines[at].trim()) {
      at++;
      continue;
    }
    const [block, next] = blockAt(lines, at, depth);
    found.push({ ...block, source: lines.slice(at, next).join("\n") });
    at = next;
  }
  return found;
}

function blockAt(lines, at, depth) {
  const line = lines[at];
  const deep = depth >= DEEPEST;
  let match;
  if ((match = FENCE.exec(line))) return codeAt(lines, at, match);
  if ((match = HEADING.exec(line))) {
    return [
      {
        kind: "heading",
        level: match[1].length,
        text: (match[2] ?? "").replace(/(?:^|\s)#+$/, ""),
      },
      at + 1,
    ];
  }
  if (RULE.test(line)) return [{ kind: "rule" }, at + 1];
  if (!deep && QUOTE.test(line)) return quoteAt(lines, at, depth);
  if (!deep && ITEM.test(line)) return listAt(lines, at, depth);
  if (isTable(lines, at)) return tableAt(lines, at);
  return paragraphAt(lines, at, deep);
}

function codeAt(lines, at, [, indent, fence, info]) {
  const closing = new RegExp(`^ {0,3}${fence[0] === "`" ? "`" : "~"}{${fence.length},}\\s*$`);
  const inside = [];
  let next = at + 1;
  while (next < lines.length && !closing.test(lines[next])) {
    inside.push(
      lines[next].startsWith(indent) ? lines[next].slice(indent.length) : lines[next].trimStart(),
    );
    next++;
  }
  const language = info.trim().split(/\s+/)[0].slice(0, 30);
  return [{ kind: "code", language, text: inside.join("\n") }, Math.min(next + 1, lines.length)];
}

function quoteAt(lines, at, depth) {
  const inside = [];
  while (at < lines.length) {
    if (QUOTE.test(lines[at])) inside.push(lines[at].replace(QUOTE, ""));
    else if (inside.at(-1)?.trim() && lines[at].trim() && !begins(lines, at))
      inside.push(lines[at]);
    else break;
    at++;
  }
  return [{ kind: "quote", blocks: blocks(inside.join("\n"), depth + 1) }, at];
}

function listAt(lines, at, depth) {
  const first = ITEM.exec(lines[at]);
  const family = kindOf(first[2]);
  const items = [];
  let loose = false;
  let blank = false;
  while (at < lines.length) {
    const match = ITEM.exec(lines[at]);
    if (!match || kindOf(match[2]) !== family || RULE.test(lines[at])) break;
    loose ||= blank;
    const gap = match[3].length > 4 || !match[3].length ? 1 : match[3].length;
    const reach = match[1].length + match[2].length + gap;
    const inside = [lines[at].slice(reach)];
    at++;
    blank = false;
    while (at < lines.length) {
      const line = lines[at];
      const inner = line.length - line.trimStart().length;
      if (!line.trim()) blank = true;
      else if (inner >= reach) {
        loose ||= blank && inside.length > 0;
        blank = false;
      } else if (blank || ITEM.test(line) || begins(lines, at)) break;
      inside.push(inner >= reach ? line.slice(reach) : line.trimStart());
      at++;
    }
    while (inside.length > 1 && !inside.at(-1).trim()) inside.pop();
    items.push(blocks(inside.join("\n"), depth + 1));
  }
  const start = family === "." || family === ")" ? Number.parseInt(first[2], 10) : null;
  return [{ kind: "list", ordered: start !== null, start, loose, items }, at];
}

const kindOf = (marker) => marker.at(-1);

function isTable(lines, at) {
  if (!lines[at].includes("|") || at + 1 >= lines.length) return false;
  return (
    lines[at + 1].includes("-") &&
    DELIMITER.test(lines[at + 1]) &&
    cells(lines[at]).length === cells(lines[at + 1]).length
  );
}

function tableAt(lines, at) {
  const head = cells(lines[at]);
  const align = cells(lines[at + 1]).map((cell) =>
    /^:.*:$/.test(cell) ? "center" : cell.endsWith(":") ? "right" : null,
  );
  const rows = [];
  at += 2;
  while (at < lines.length && lines[at].trim() && lines[at].includes("|")) {
    const row = cells(lines[at++]).slice(0, head.length);
    while (row.length < head.length) row.push("");
    rows.push(row);
  }
  return [{ kind: "table", head, align, rows }, at];
}

// Cells of a row; a bar inside code or after a backslash is text.
function cells(line) {
  const found = [""];
  let code = false;
  const text = line.trim().replace(/^\|/, "");
  for (let at = 0; at < text.length; at++) {
    const letter = text[at];
    if (letter === "\\" && text[at + 1] === "|") found[found.length - 1] += text[++at];
    else if (letter === "|" && !code) found.push("");
    else {
      if (letter === "`") code = !code;
      found[found.length - 1] += letter;
    }
  }
  if (found.length > 1 && !found.at(-1).trim()) found.pop();
  return found.map((cell) => cell.trim());
}

function paragraphAt(lines, at, deep) {
  const inside = [lines[at++].trimStart()];
  while (at < lines.length && lines[at].trim()) {
    const under = /^ {0,3}(=+|-{2,})\s*$/.exec(lines[at]);
    if (under)
      return [
        { kind: "heading", level: under[1][0] === "=" ? 1 : 2, text: inside.join("\n") },
        at + 1,
      ];
    if (!deep && begins(lines, at)) break;
    inside.push(lines[at++].trimStart());
  }
  return [{ kind: "paragraph", text: inside.join("\n").trimEnd() }, at];
}

// Whether a line begins another block than the paragraph before it.
function begins(lines, at) {
  const line = lines[at];
  const item = ITEM.exec(line);
  // a number in running text is no list unless it is the first
  const starts =
    item &&
    item[3].length > 0 &&
    (!/^\d/.test(item[2]) || Number.parseInt(item[2], 10) === 1 || ITEM.test(lines[at - 1] ?? ""));
  return (
    FENCE.test(line) ||
    HEADING.test(line) ||
    RULE.test(line) ||
    QUOTE.test(line) ||
    Boolean(starts) ||
    isTable(lines, at)
  );
}
