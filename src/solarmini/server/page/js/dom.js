// Elements without markup: text can never become tags.

const SVG = "http://www.w3.org/2000/svg";

// Set properties: class, text, data {}, on {event: listener}; everything else is an attribute.
// false, null and undefined leave an attribute out; true gives an empty one.
function dress(element, properties, children) {
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === false || value === null || value === undefined) continue;
    if (name === "text") element.textContent = value;
    else if (name === "data") Object.assign(element.dataset, value);
    else if (name === "on") {
      for (const [event, listener] of Object.entries(value))
        element.addEventListener(event, listener);
    } else element.setAttribute(name, value === true ? "" : String(value));
  }
  element.append(
    ...children.flat().filter((child) => child !== null && child !== undefined && child !== false),
  );
  return element;
}

export function h(tag, properties, ...children) {
  return dress(document.createElement(tag), properties, children);
}

export function s(tag, properties, ...children) {
  return dress(document.createElementNS(SVG, tag), properties, children);
}

export const byId = (id) => document.getElementById(id);

const PATHS = {
  send: "M12 19V5M5 12l7-7 7 7",
  stop: "M7 7h10v10H7z",
  copy: "M9 9h10v11H9zM5 15V4h10",
  done: "M5 13l4 4L19 7",
  edit: "M4 20h4L19 9l-4-4L4 16zM13 7l4 4",
  again: "M20 11a8 8 0 1 0-2.3 6.3M20 4v7h-7",
  key: "M8 11a4 4 0 1 0 0 8 4 4 0 0 0 0-8M11 12L20 3M16 7l3 3M13.5 9.5l2 2",
  sun: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8M12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.4 1.4M17.6 17.6L19 19M5 19l1.4-1.4M17.6 6.4L19 5",
  moon: "M20 14.5A8.5 8.5 0 0 1 9.5 4a8.5 8.5 0 1 0 10.5 10.5z",
  auto: "M12 3a9 9 0 1 0 0 18zM12 3a9 9 0 0 1 0 18",
  close: "M6 6l12 12M18 6L6 18",
  file: "M6 3h8l4 4v14H6zM14 3v4h4",
  save: "M12 4v11M7 11l5 5 5-5M5 20h14",
};

// A decorative icon; whatever holds it has a label of its own.
export function icon(name) {
  const path = s("path", { d: PATHS[name] });
  return s(
    "svg",
    { viewBox: "0 0 24 24", width: 20, height: 20, class: "glyph", "aria-hidden": "true" },
    path,
  );
}

// Say something to screen readers; the region is a log, so earlier words are not repeated.
export function say(text) {
  const region = byId("said");
  region.append(h("p", { text }));
  while (region.childElementCount > 30) region.firstElementChild.remove();
}

export const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // without a secure context there is no clipboard object: the old way
    const area = h("textarea", { class: "hidden", "aria-hidden": "true" });
    area.value = text;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
}
