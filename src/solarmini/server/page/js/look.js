// Theme and language: two buttons, remembered.
import { byId, icon } from "./dom.js";
import { language, onLanguage, setLanguage, t } from "./i18n.js";
import { keepWord } from "./store.js";

const NEXT = { auto: "light", light: "dark", dark: "auto" };
const ICONS = { auto: "auto", light: "sun", dark: "moon" };
const themed = new Set();

export const dark = () => {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
};

export function onTheme(listener) {
  themed.add(listener);
}

const chosen = () => document.documentElement.dataset.theme ?? "auto";

export function startLook() {
  const button = byId("theme");
  const show = () => {
    button.replaceChildren(icon(ICONS[chosen()]));
    button.setAttribute("aria-label", t(`theme.${chosen()}`));
    button.title = t(`theme.${chosen()}`);
  };
  const changed = () => {
    for (const listener of themed) listener();
  };
  button.addEventListener("click", () => {
    const next = NEXT[chosen()];
    if (next === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = next;
    keepWord("theme", next === "auto" ? null : next);
    show();
    changed();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed);

  const other = byId("language");
  const showLanguage = () => {
    other.textContent = t("language.other");
    other.lang = language() === "ko" ? "en" : "ko";
  };
  other.addEventListener("click", () => setLanguage(language() === "ko" ? "en" : "ko"));
  onLanguage(() => {
    show();
    showLanguage();
  });
  show();
  showLanguage();
}
