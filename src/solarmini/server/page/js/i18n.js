// Two languages; static elements name their text in data-t, data-t-label and data-t-placeholder.
import { en } from "./en.js";
import { ko } from "./ko.js";
import { keepWord } from "./store.js";

const TABLES = { en, ko };
const listeners = new Set();

export const language = () => (document.documentElement.lang === "ko" ? "ko" : "en");

// The text of a key; {name} is replaced by values.name.
export function t(key, values = {}) {
  const text = TABLES[language()][key] ?? en[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

export const known = (key) => key in en;

export function number(value, digits = 0) {
  return new Intl.NumberFormat(language(), {
    maximumFractionDigits: digits,
    minimumFractionDigits: digits,
  }).format(value);
}

// "1 page", "2 pages": the words of `count.NAME.one` or `count.NAME.many`.
export function counted(name, count) {
  return t(`count.${name}.${count === 1 ? "one" : "many"}`, { count: number(count) });
}

// Bind an element's text to a key, now and whenever the language changes.
export function bind(element, key, values) {
  element.dataset.t = key;
  if (values) element.dataset.tValues = JSON.stringify(values);
  element.textContent = t(key, values);
  return element;
}

export function translate(root = document) {
  for (const element of root.querySelectorAll("[data-t]")) {
    const values = element.dataset.tValues ? JSON.parse(element.dataset.tValues) : {};
    element.textContent = t(element.dataset.t, values);
  }
  for (const element of root.querySelectorAll("[data-t-label]")) {
    const label = t(element.dataset.tLabel);
    element.setAttribute("aria-label", label);
    if (element.matches("button")) element.title = label;
  }
  for (const element of root.querySelectorAll("[data-t-placeholder]")) {
    element.placeholder = t(element.dataset.tPlaceholder);
  }
}

export function onLanguage(listener) {
  listeners.add(listener);
}

export function setLanguage(name) {
  document.documentElement.lang = name;
  keepWord("language", name);
  translate();
  for (const listener of listeners) listener();
}
