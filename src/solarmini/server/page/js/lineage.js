// The family tree: ancestors on the left, the served model on the right; on a narrow screen downwards.
import { h, s } from "./dom.js";
import { number, t } from "./i18n.js";

const idOf = (node) => node.fingerprint ?? node.name;

// Every model once, with its parents' ids and how many steps it stands from the oldest.
export function family(root) {
  const found = new Map();
  const visit = (node) => {
    const id = idOf(node);
    if (found.has(id)) return found.get(id);
    const parents = node.parents.map(visit);
    const depth = parents.length ? Math.max(...parents.map((parent) => parent.depth)) + 1 : 0;
    const member = { id, node, parents: parents.map((parent) => parent.id), depth, lane: 0 };
    found.set(id, member);
    return member;
  };
  visit(root);
  const members = [...found.values()].sort((a, b) => a.depth - b.depth);
  const taken = new Map();
  for (const member of members) {
    member.lane = taken.get(member.depth) ?? 0;
    taken.set(member.depth, member.lane + 1);
  }
  return members;
}

function nodeOf(member, root, names) {
  const { node } = member;
  const facts = [
    node.layers ? t("card.nlayers", { count: number(node.layers) }) : null,
    node.tokens ? t("card.tokens", { count: number(node.tokens) }) : null,
    node.settings.method ?? null,
  ].filter(Boolean);
  const made = member.parents.length
    ? h("span", {
        class: "hidden",
        text: t("card.made", { names: member.parents.map((id) => names.get(id)).join(", ") }),
      })
    : null;
  return h(
    "li",
    {
      class: `kin s-${node.stage}${node === root ? " self" : ""}`,
      data: { id: member.id, depth: String(member.depth + 1), lane: String(member.lane + 1) },
    },
    h("span", { class: "kin-stage", text: t(`stage.${node.stage}`) }),
    h("b", { class: "kin-name", text: node.name }),
    h("span", { class: "kin-facts", text: facts.join(" · ") }),
    made,
  );
}

export function lineage(card) {
  if (!card.lineage) return null;
  const members = family(card.lineage);
  const names = new Map(members.map((member) => [member.id, member.node.name]));
  const lines = s("svg", { class: "kin-lines", "aria-hidden": "true" });
  const list = h(
    "ol",
    { class: "kin-list" },
    members.map((member) => nodeOf(member, card.lineage, names)),
  );
  for (const [place, member] of members.entries()) {
    const item = list.children[place];
    item.style.setProperty("--depth", member.depth + 1);
    item.style.setProperty("--lane", member.lane + 1);
  }
  const depths = new Map(members.map((member) => [member.id, member.depth]));
  const skips = members.some((member) =>
    member.parents.some((id) => member.depth - depths.get(id) > 1),
  );
  const host = h("div", { class: `lineage${skips ? " skips" : ""}` }, lines, list);
  new ResizeObserver(() => connect(members, list, lines)).observe(list);
  return host;
}

// Draw an edge from every parent to its child, wherever the layout has put them.
function connect(members, list, lines) {
  const own = list.getBoundingClientRect();
  if (!own.width) return;
  const boxes = new Map(
    [...list.children].map((item) => [item.dataset.id, item.getBoundingClientRect()]),
  );
  lines.setAttribute("viewBox", `0 0 ${own.width} ${own.height}`);
  lines.setAttribute("width", own.width);
  lines.setAttribute("height", own.height);
  const paths = members.flatMap((member) =>
    member.parents.map((parent) => edge(boxes.get(parent), boxes.get(member.id), own)),
  );
  lines.replaceChildren(...paths.map((d) => s("path", { d })));
}

function edge(from, to, own) {
  const x = (value) => (value - own.left).toFixed(1);
  const y = (value) => (value - own.top).toFixed(1);
  if (to.left - from.right > from.width / 2 && Math.abs(to.top - from.top) < from.height) {
    // over the heads of those between
    const [x1, x2] = [from.right - 24, to.left + 24];
    return `M${x(x1)} ${y(from.top)} C${x(x1 + 20)} ${y(from.top - 30)} ${x(x2 - 20)} ${y(to.top - 30)} ${x(x2)} ${y(to.top)}`;
  }
  if (to.left >= from.right) {
    const [x1, y1, x2, y2] = [
      from.right,
      from.top + from.height / 2,
      to.left,
      to.top + to.height / 2,
    ];
    const bend = (x1 + x2) / 2;
    return `M${x(x1)} ${y(y1)} C${x(bend)} ${y(y1)} ${x(bend)} ${y(y2)} ${x(x2)} ${y(y2)}`;
  }
  const at = from.left + 24;
  if (to.top - from.bottom < 60) return `M${x(at)} ${y(from.bottom)} V${y(to.top)}`;
  // past those between, along the left edge
  const side = Math.min(from.left, to.left) - 10;
  return `M${x(from.left)} ${y(from.top + from.height / 2)} H${x(side)} V${y(to.top + to.height / 2)} H${x(to.left)}`;
}
