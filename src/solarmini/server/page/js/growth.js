// Which layer of the base each layer of the grown model came from.
import { h, s } from "./dom.js";
import { t } from "./i18n.js";

const WIDTH = 720;
const HEIGHT = 150;
const PAD = 8;

export function growth(plan) {
  if (!plan?.sources?.length || !plan.base_layers) return null;
  const { base_layers: base, sources, drop } = plan;
  const facts = { base, grown: sources.length, drop };
  const text = t(plan.method === "dus" && drop ? "card.growth.text" : "card.growth.plain", facts);
  const step = (WIDTH - 2 * PAD) / Math.max(base, sources.length);
  const left = (count) => (WIDTH - count * step) / 2;
  const bar = (place, count, y, kind) =>
    s("rect", {
      x: left(count) + place * step + step * 0.14,
      y,
      width: step * 0.72,
      height: 26,
      rx: 2,
      class: kind,
    });
  const seam = sources.findIndex((source, place) => place > 0 && source <= sources[place - 1]);
  const half = (place) => (seam !== -1 && place >= seam ? "second" : "first");
  const lines = sources.map((source, place) => {
    const [x1, x2] = [
      left(base) + (source + 0.5) * step,
      left(sources.length) + (place + 0.5) * step,
    ];
    return s("path", {
      d: `M${x1.toFixed(1)} 50 C${x1.toFixed(1)} 78 ${x2.toFixed(1)} 72 ${x2.toFixed(1)} 100`,
      class: `thread ${half(place)}`,
    });
  });
  const old = Array.from({ length: base }, (_, place) => bar(place, base, 24, "old"));
  const made = sources.map((source, place) => {
    const one = bar(place, sources.length, 100, half(place));
    one.append(s("title", {}, t("card.growth.layer", { layer: place, source })));
    return one;
  });
  const label = (y, name, count) =>
    s(
      "text",
      { x: WIDTH / 2, y, "text-anchor": "middle" },
      `${t(name)} · ${t("card.nlayers", { count })}`,
    );
  const drawing = s(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "growth", role: "img", "aria-label": text },
    ...lines,
    ...old,
    ...made,
    label(15, "card.growth.base", base),
    label(144, "card.growth.grown", sources.length),
  );
  return h("div", {}, h("p", { text }), drawing);
}
