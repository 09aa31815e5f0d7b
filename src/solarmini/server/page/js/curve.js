// Loss over tokens, one small drawing a stage, with the same numbers as a table below.
import { h, s } from "./dom.js";
import { language, number, t } from "./i18n.js";

const W = 440;
const H = 250;
const EDGE = { left: 46, right: 14, top: 14, bottom: 44 };

export function curves(all) {
  if (!all?.length) return null;
  return h("div", {}, legend(), h("div", { class: "curves" }, all.map(panel)));
}

function legend() {
  const entry = (kind, name) =>
    h(
      "span",
      { class: "legend-entry" },
      s(
        "svg",
        { viewBox: "0 0 26 10", width: 26, height: 10, "aria-hidden": "true" },
        s("path", { d: "M1 5H25", class: `curve ${kind}` }),
      ),
      t(name),
    );
  return h(
    "p",
    { class: "legend" },
    entry("train", "card.train"),
    entry("heldout", "card.heldout"),
  );
}

// Running means: single batches swing and would hide the course.
export function averaged(points) {
  const reach = points.length >= 8 ? Math.floor(points.length / 12) + 1 : 0;
  return points.map(([x], place) => {
    const near = points.slice(Math.max(0, place - reach), place + reach + 1);
    return [x, near.reduce((sum, [, y]) => sum + y, 0) / near.length];
  });
}

// Round numbers between low and high, about `count` of them.
export function ticks(low, high, count) {
  const rough = (high - low) / count || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= rough);
  const found = [];
  for (let value = Math.ceil(low / step) * step; value <= high + step * 1e-6; value += step)
    found.push(Number(value.toPrecision(12)));
  return found;
}

function panel(curve) {
  const train = averaged(curve.train);
  const shown = [...train, ...curve.heldout];
  const high = Math.max(...shown.map(([, y]) => y));
  const low = Math.min(...shown.map(([, y]) => y));
  const pad = (high - low) * 0.1 || 0.05;
  const last = Math.max(...shown.map(([x]) => x), 1);
  const x = (value) => EDGE.left + (value / last) * (W - EDGE.left - EDGE.right);
  const y = (value) =>
    H - EDGE.bottom - ((value - low + pad) / (high - low + 2 * pad)) * (H - EDGE.top - EDGE.bottom);
  const line = (points, kind) =>
    points.length
      ? s("polyline", {
          class: `curve ${kind}`,
          points: points.map(([a, b]) => `${x(a).toFixed(1)},${y(b).toFixed(1)}`).join(" "),
        })
      : null;
  const dots = curve.heldout.map(([a, b]) =>
    s("circle", { cx: x(a), cy: y(b), r: 3.5, class: "dot" }, s("title", {}, `${number(b, 3)}`)),
  );
  const [told, key] = curve.heldout.length
    ? [curve.heldout, "card.curve"]
    : [train, "card.curve.train"];
  const label = t(key, {
    name: curve.name,
    first: number(told[0][1], 3),
    last: number(told.at(-1)[1], 3),
  });
  const drawing = s(
    "svg",
    { viewBox: `0 0 ${W} ${H}`, role: "img", "aria-label": label, class: "plot" },
    ...axes(low - pad, high + pad, last, x, y),
    ...[line(train, "train"), line(curve.heldout, "heldout"), ...dots].filter(Boolean),
  );
  return h(
    "figure",
    { class: "curve-panel" },
    h(
      "figcaption",
      {},
      h("b", { text: curve.name }),
      h("span", { text: t(`card.loss.${curve.stage}`) }),
    ),
    drawing,
    values(curve),
  );
}

function axes(low, high, last, x, y) {
  const compact = new Intl.NumberFormat(language(), {
    notation: "compact",
    maximumSignificantDigits: 3,
  });
  const digits = high - low > 2 ? 1 : 2;
  const rows = ticks(low, high, 4).flatMap((value) => [
    s("path", { d: `M${EDGE.left} ${y(value).toFixed(1)}H${W - EDGE.right}`, class: "grid" }),
    s("text", { x: EDGE.left - 7, y: y(value) + 4, "text-anchor": "end" }, number(value, digits)),
  ]);
  const columns = ticks(0, last, 5).map((value) =>
    s(
      "text",
      { x: x(value), y: H - EDGE.bottom + 18, "text-anchor": "middle" },
      compact.format(value),
    ),
  );
  return [
    ...rows,
    ...columns,
    s(
      "text",
      { x: (EDGE.left + W - EDGE.right) / 2, y: H - 6, "text-anchor": "middle", class: "axis" },
      t("card.axis"),
    ),
  ];
}

function values(curve) {
  const held = new Map(curve.heldout);
  const train = new Map(curve.train);
  const steps = [...new Set([...held.keys(), ...train.keys()])].sort((a, b) => a - b);
  const head = h(
    "tr",
    {},
    [t("card.axis"), t("card.train").split(",")[0], t("card.heldout")].map((text) =>
      h("th", { scope: "col", text }),
    ),
  );
  const cell = (value) =>
    h("td", { class: "to-right", text: value === undefined ? "" : number(value, 3) });
  const rows = steps.map((step) =>
    h(
      "tr",
      {},
      h("td", { class: "to-right", text: number(step) }),
      cell(train.get(step)),
      cell(held.get(step)),
    ),
  );
  return h(
    "details",
    {},
    h("summary", { text: t("card.values") }),
    h(
      "div",
      { class: "wide tall", tabindex: "0", role: "region", "aria-label": t("card.values") },
      h("table", {}, h("thead", {}, head), h("tbody", {}, rows)),
    ),
  );
}
