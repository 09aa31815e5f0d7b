// System prompt and sampling: a form that is remembered.
import { byId, h, icon } from "./dom.js";
import { bind } from "./i18n.js";
import { lasting } from "./store.js";

const FIELDS = [
  { name: "system", kind: "text", rows: 4, value: "", help: true },
  { name: "temperature", kind: "range", min: 0, max: 2, step: 0.05, value: 0.7, help: true },
  { name: "top_p", kind: "range", min: 0.05, max: 1, step: 0.05, value: 0.95, help: true },
  { name: "max_tokens", kind: "number", min: 1, max: 1000000, value: 512 },
  { name: "seed", kind: "number", min: 0, max: 2 ** 31 - 1, value: "", help: true },
  { name: "stop", kind: "text", rows: 2, value: "", help: true },
];

function fieldOf(field) {
  const id = `set-${field.name}`;
  const help = field.help ? `${id}-help` : null;
  const shared = { id, name: field.name, "aria-describedby": help };
  const { min, max, step } = field;
  const input =
    field.kind === "text"
      ? h("textarea", { ...shared, rows: field.rows })
      : h("input", { ...shared, type: field.kind, min, max, step: step ?? 1 });
  const label = bind(h("label", { for: id }), `settings.${field.name}`);
  const shown = field.kind === "range" ? h("output", { for: id, id: `${id}-value` }) : null;
  const said = help
    ? bind(h("p", { class: "help", id: help }), `settings.${field.name}.help`)
    : null;
  return h(
    "div",
    { class: "setting" },
    h("div", { class: "setting-head" }, label, shown),
    input,
    said,
  );
}

function fill(values) {
  for (const field of FIELDS) {
    byId(`set-${field.name}`).value = String(values[field.name] ?? field.value);
  }
  showValues();
}

function showValues() {
  for (const field of FIELDS.filter((one) => one.kind === "range")) {
    byId(`set-${field.name}-value`).textContent = Number(byId(`set-${field.name}`).value).toFixed(
      2,
    );
  }
}

function keep() {
  showValues();
  lasting.set(
    "settings",
    Object.fromEntries(FIELDS.map(({ name }) => [name, byId(`set-${name}`).value])),
  );
}

export const systemPrompt = () => byId("set-system").value.trim();

// What goes into a request.
export function sampling() {
  const read = (name) => byId(`set-${name}`).value.trim();
  const wanted = { temperature: Number(read("temperature")), top_p: Number(read("top_p")) };
  const most = Number.parseInt(read("max_tokens"), 10);
  const seed = Number.parseInt(read("seed"), 10);
  const stop = byId("set-stop").value.split("\n").filter(Boolean).slice(0, 16);
  if (most > 0) wanted.max_tokens = most;
  if (seed >= 0) wanted.seed = seed;
  if (stop.length) wanted.stop = stop;
  return wanted;
}

export function startSettings() {
  const form = byId("settings-form");
  form.append(...FIELDS.map(fieldOf));
  form.addEventListener("input", keep);
  form.addEventListener("submit", (event) => event.preventDefault());
  byId("reset-settings").addEventListener("click", () => {
    fill({});
    keep();
  });
  byId("close-settings").append(icon("close"));
  const narrow = matchMedia("(max-width: 60rem)");
  const show = (open) => {
    byId("settings").hidden = !open;
    byId("open-settings").setAttribute("aria-expanded", String(open));
    if (narrow.matches && open) byId("close-settings").focus();
  };
  byId("open-settings").addEventListener("click", () => show(byId("settings").hidden));
  byId("close-settings").addEventListener("click", () => {
    show(false);
    byId("open-settings").focus();
  });
  byId("settings").addEventListener("keydown", (event) => {
    if (event.key === "Escape" && narrow.matches) byId("close-settings").click();
  });
  narrow.addEventListener("change", () => show(!narrow.matches));
  show(!narrow.matches);
  fill(lasting.get("settings", {}));
}
