// Measurements of the model and its ancestors, one column a task.
import { h } from "./dom.js";
import { number, t } from "./i18n.js";

const ORDER = ["perplexity", "chat_loss", "preference_accuracy"];
const SHARES = new Set([
  "preference_accuracy",
  "acc",
  "acc_norm",
  "exact_match_strict",
  "macro_f1",
]);
const PRIMARY = [
  "perplexity",
  "chat_loss",
  "preference_accuracy",
  "acc_norm",
  "acc",
  "exact_match_strict",
  "macro_f1",
];

// One column a task, by the measure it is known for.
export function columnsOf(all) {
  const tasks = new Map();
  for (const score of all) {
    const kept = tasks.get(score.task);
    if (!kept || PRIMARY.indexOf(score.metric) < PRIMARY.indexOf(kept.metric))
      tasks.set(score.task, score);
  }
  const rank = ({ metric }) => (ORDER.includes(metric) ? ORDER.indexOf(metric) : ORDER.length);
  return [...tasks.values()].sort((a, b) => rank(a) - rank(b));
}

const shown = (score, value) =>
  number(SHARES.has(score.metric) ? value * 100 : value, SHARES.has(score.metric) ? 1 : 2);

function cell(score, best) {
  if (!score) return h("td", { class: "to-right", text: "–" });
  const range =
    score.ci_low === null
      ? null
      : h("small", { text: `${shown(score, score.ci_low)} – ${shown(score, score.ci_high)}` });
  return h(
    "td",
    { class: "to-right" },
    h(best ? "b" : "span", { text: shown(score, score.value) }),
    range,
  );
}

export function scores(all) {
  if (!all?.length) return null;
  const columns = columnsOf(all);
  const models = [...new Set(all.map((score) => score.model))];
  const find = (model, column) =>
    all.find(
      (score) =>
        score.model === model && score.task === column.task && score.metric === column.metric,
    );
  const best = columns.map((column) => {
    const values = models
      .map((model) => find(model, column)?.value)
      .filter((value) => value !== undefined);
    return column.higher_is_better ? Math.max(...values) : Math.min(...values);
  });
  const head = h(
    "tr",
    {},
    h("th", { scope: "col", text: t("card.scores.model") }),
    columns.map((column) =>
      h(
        "th",
        { scope: "col", class: "to-right" },
        column.task,
        h("small", { text: t(`metric.${column.metric}`) }),
        h("small", {
          text: `${t(column.higher_is_better ? "card.higher" : "card.lower")}, n = ${column.n}`,
        }),
      ),
    ),
  );
  const rows = models.map((model) =>
    h(
      "tr",
      {},
      h("th", { scope: "row", text: model }),
      columns.map((column, place) => {
        const score = find(model, column);
        return cell(score, score?.value === best[place]);
      }),
    ),
  );
  const table = h("table", { class: "scores" }, h("thead", {}, head), h("tbody", {}, rows));
  return h(
    "div",
    {},
    h("p", { class: "help", text: t("card.scores.help") }),
    h(
      "div",
      { class: "wide", tabindex: "0", role: "region", "aria-label": t("card.scores") },
      table,
    ),
  );
}
