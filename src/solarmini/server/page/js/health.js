// Whether the server and its model are there, looked at now and then.
import { byId } from "./dom.js";
import { onLanguage, t } from "./i18n.js";

const OFTEN = 2000;
const SELDOM = 20000;
let state = { status: "", model: null };

export const modelName = () => state.model ?? "solar-mini";

function show() {
  const host = byId("health");
  host.dataset.status = state.status;
  byId("health-text").textContent = state.status
    ? t(`health.${state.status}`, { model: state.model ?? "" })
    : "";
  host.title = byId("health-text").textContent;
}

async function look() {
  try {
    const response = await fetch("/health", { cache: "no-store" });
    const facts = await response.json();
    const status =
      facts.status === "ok" || facts.status === "restarting" ? facts.status : "loading";
    const ready = status === "ok" && state.status !== "ok";
    state = { status, model: facts.model ?? null };
    if (ready) document.dispatchEvent(new CustomEvent("solar:ready"));
  } catch {
    state = { ...state, status: "away" };
  }
  show();
  setTimeout(look, state.status === "ok" ? SELDOM : OFTEN);
}

export function startHealth() {
  onLanguage(show);
  return look();
}
