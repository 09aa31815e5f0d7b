// The pages as pictures, with a box on every element and the order in which they are read.
import { ask } from "./api.js";
import { calm, h, s, say } from "./dom.js";
import { bind, t } from "./i18n.js";
import { KINDS, kindOf } from "./kinds.js";

const WIDTH = 1000; // of a page in the units of its drawing
const BATCH = 4; // pages drawn in one request
const A4 = Math.SQRT2;

export class PagesPane {
  constructor(file, answer, selection) {
    this.file = file;
    this.selection = selection;
    this.elements = answer.elements;
    this.sizes = new Map((answer.pages ?? []).map((page) => [page.page, page]));
    this.boxes = new Map();
    this.sheets = new Map();
    this.asked = new Set();
    this.control = new AbortController();
    this.list = h("div", {
      class: "sheets",
      role: "group",
      "data-t-label": "doc.pages",
      tabindex: "0",
    });
    this.root = h("div", { class: "doc-pages" }, this.tools(), this.list);
    const numbers = [
      ...new Set([...this.elements.map((element) => element.page), ...this.sizes.keys()]),
    ].sort((a, b) => a - b);
    for (const number of numbers.length ? numbers : [1]) this.sheet(number);
    selection.addEventListener("point", ({ detail }) => this.show(detail));
    this.watch = new IntersectionObserver(
      (entries) => {
        for (const entry of entries)
          if (entry.isIntersecting) this.draw(Number(entry.target.dataset.page));
      },
      { root: this.list, rootMargin: "600px" },
    );
  }

  start() {
    for (const sheet of this.sheets.values()) this.watch.observe(sheet.figure);
  }

  close() {
    this.control.abort();
    this.watch.disconnect();
    for (const sheet of this.sheets.values()) if (sheet.url) URL.revokeObjectURL(sheet.url);
  }

  tools() {
    const found = new Set(this.elements.map((element) => kindOf(element.category)));
    const check = (label, swatch, change) => {
      const box = h("input", { type: "checkbox", checked: true });
      box.addEventListener("change", () => change(box.checked));
      return h("label", { class: "check" }, box, swatch, label);
    };
    const layer = (name) =>
      check(bind(h("span"), `doc.${name}`), null, (on) =>
        this.root.classList.toggle(`no-${name}`, !on),
      );
    const kinds = KINDS.filter((kind) => found.has(kind)).map((kind) =>
      check(
        bind(h("span"), `kind.${kind}`),
        h("span", { class: `chip k-${kind}`, "aria-hidden": "true" }),
        (on) => this.root.classList.toggle(`no-${kind}`, !on),
      ),
    );
    const legend = (name) => bind(h("legend", { class: "hidden" }), name);
    return h(
      "div",
      { class: "doc-tools" },
      h("fieldset", {}, legend("doc.show"), layer("boxes"), layer("order")),
      h("fieldset", { class: "kinds" }, legend("doc.kindsof"), kinds),
    );
  }

  sheet(number) {
    const size = this.sizes.get(number);
    const height = Math.round(WIDTH * (size ? size.height / size.width : A4));
    const drawing = s("svg", { class: "boxes", role: "group", preserveAspectRatio: "none" });
    const hold = h(
      "div",
      { class: "sheet-hold" },
      h("div", { class: "blank", "aria-hidden": "true" }),
      drawing,
    );
    const caption = bind(h("figcaption"), "doc.page", { page: String(number) });
    const figure = h("figure", { class: "sheet", data: { page: String(number) } }, hold, caption);
    const sheet = { number, figure, hold, drawing, picture: hold.firstChild, url: null };
    this.sheets.set(number, sheet);
    this.list.append(figure);
    this.scale(sheet, height);
  }

  // Draw the boxes for a page of this height (the width is WIDTH).
  scale(sheet, height) {
    sheet.height = height;
    sheet.drawing.setAttribute("viewBox", `0 0 ${WIDTH} ${height}`);
    sheet.hold.style.aspectRatio = `${WIDTH} / ${height}`;
    const own = this.elements.filter(
      (element) => element.page === sheet.number && element.coordinates?.length,
    );
    const boxes = own.map((element) => this.box(element, height));
    const path = own.map(
      (element) =>
        `${(element.coordinates[0].x * WIDTH).toFixed(1)},${(element.coordinates[0].y * height).toFixed(1)}`,
    );
    const order =
      path.length > 1
        ? s("polyline", { class: "order", points: path.join(" "), "aria-hidden": "true" })
        : null;
    sheet.drawing.replaceChildren(...[order, ...boxes].filter(Boolean));
    sheet.drawing.setAttribute("aria-label", t("doc.page", { page: String(sheet.number) }));
    this.rove();
  }

  box(element, height) {
    const points = element.coordinates
      .map(({ x, y }) => `${(x * WIDTH).toFixed(1)},${(y * height).toFixed(1)}`)
      .join(" ");
    const number = String(element.id + 1);
    const wide = 10 + 8 * number.length;
    const x = Math.min(
      Math.max(element.coordinates[0].x * WIDTH - wide / 2 + 3, wide / 2),
      WIDTH - wide / 2,
    );
    const y = Math.max(element.coordinates[0].y * height - 2, 10);
    const group = s(
      "g",
      {
        class: `box k-${kindOf(element.category)}`,
        role: "button",
        tabindex: "-1",
        "data-id": element.id,
      },
      s("polygon", { points }),
      s("rect", { x: x - wide / 2, y: y - 9, width: wide, height: 18, rx: 4 }),
      s("text", { x, y, "text-anchor": "middle", "dominant-baseline": "central" }, number),
    );
    this.label(group, element);
    group.addEventListener("pointerenter", () => this.selection.point(element.id, this));
    group.addEventListener("focus", () => this.selection.point(element.id, this, true));
    group.addEventListener("click", () => group.focus());
    group.addEventListener("keydown", (event) => this.walk(event, element.id));
    this.boxes.set(element.id, group);
    return group;
  }

  label(group, element) {
    const kind = t(`kind.${kindOf(element.category)}`);
    const text = (element.content.text ?? "").replace(/\s+/g, " ").trim().slice(0, 140);
    group.setAttribute(
      "aria-label",
      t("doc.box", { number: element.id + 1, kind, page: element.page, text }),
    );
  }

  relabel() {
    for (const element of this.elements) {
      const group = this.boxes.get(element.id);
      if (group) this.label(group, element);
    }
  }

  // One box is a stop for Tab; the arrows walk from there in reading order.
  rove() {
    const first = this.elements.find((element) => this.boxes.has(element.id));
    const now = this.boxes.has(this.selection.now) ? this.selection.now : first?.id;
    for (const [id, group] of this.boxes) group.setAttribute("tabindex", id === now ? "0" : "-1");
  }

  walk(event, id) {
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    const ids = this.elements.map((element) => element.id).filter((one) => this.boxes.has(one));
    let to = step ? ids[ids.indexOf(id) + step] : undefined;
    if (event.key === "Home") to = ids[0];
    if (event.key === "End") to = ids.at(-1);
    if (to === undefined) return;
    event.preventDefault();
    this.boxes.get(to).focus();
  }

  show({ id, from, scroll }) {
    for (const [one, group] of this.boxes) group.classList.toggle("on", one === id);
    this.rove();
    const group = this.boxes.get(id);
    if (group && from !== this && scroll) this.reveal(group.querySelector("polygon"));
  }

  reveal(shape) {
    const box = shape.getBoundingClientRect();
    const own = this.list.getBoundingClientRect();
    // on a narrow screen the page itself scrolls, not the list
    if (this.list.scrollHeight <= this.list.clientHeight + 1)
      return shape.scrollIntoView({ block: "center", behavior: calm() ? "auto" : "smooth" });
    if (box.top >= own.top && box.bottom <= own.bottom) return undefined;
    const top =
      this.list.scrollTop + box.top - own.top - Math.max(24, (own.height - box.height) / 2);
    return this.list.scrollTo({ top, behavior: calm() ? "auto" : "smooth" });
  }

  // Mark places of a source: [{page, polygon: [[x, y], …]}], and go to the first.
  cite(places) {
    for (const old of this.root.querySelectorAll(".cited")) old.remove();
    const marks = places
      .filter(({ page, polygon }) => this.sheets.has(page) && polygon)
      .map(({ page, polygon }) => {
        const sheet = this.sheets.get(page);
        const points = polygon
          .map(([x, y]) => `${(x * WIDTH).toFixed(1)},${(y * sheet.height).toFixed(1)}`)
          .join(" ");
        const mark = s("polygon", { class: "cited", points });
        sheet.drawing.append(mark);
        return mark;
      });
    const first = marks[0] ?? this.sheets.get(places[0]?.page)?.figure;
    if (!first) return;
    this.selection.point(null, this);
    this.root.scrollIntoView({ block: "nearest" });
    this.reveal(first);
    say(t("ask.gone", { page: places[0].page }));
  }

  // Have a page drawn, and its neighbours with it.
  async draw(number) {
    if (this.asked.has(number)) return;
    const pages = [...this.sheets.keys()].filter(
      (page) => page >= number && page < number + BATCH && !this.asked.has(page),
    );
    for (const page of pages) this.asked.add(page);
    const form = new FormData();
    form.append("document", this.file, this.file.name);
    form.append("pages", `${number}-${Math.max(...pages)}`);
    form.append("width", devicePixelRatio > 1 ? "1600" : "1100");
    const angles = Object.fromEntries(
      [...this.sizes.values()].filter((page) => page.angle).map((page) => [page.page, page.angle]),
    );
    form.append("angles", JSON.stringify(angles));
    let drawn = { pages: [] };
    try {
      drawn = await ask("/v1/page-pictures", { form, signal: this.control.signal });
    } catch (fault) {
      if (fault.name === "AbortError") return;
    }
    for (const picture of drawn.pages) await this.paint(picture);
    for (const page of pages) if (!this.sheets.get(page).url) this.unpainted(this.sheets.get(page));
  }

  async paint(picture) {
    const sheet = this.sheets.get(picture.page);
    if (!sheet || sheet.url) return;
    const bytes = Uint8Array.from(atob(picture.base64), (letter) => letter.charCodeAt(0));
    sheet.url = URL.createObjectURL(new Blob([bytes], { type: picture.type }));
    const image = h("img", {
      src: sheet.url,
      alt: t("doc.page", { page: picture.page }),
      width: picture.width,
      height: picture.height,
    });
    sheet.picture.replaceWith(image);
    sheet.picture = image;
    const height = Math.round((WIDTH * picture.height) / picture.width);
    if (Math.abs(height - sheet.height) <= 2) return; // as foretold: the boxes, and the focus, stay
    const cited = [...sheet.drawing.querySelectorAll(".cited")];
    this.scale(sheet, height);
    sheet.drawing.append(...cited);
    this.boxes.get(this.selection.now)?.classList.add("on");
  }

  unpainted(sheet) {
    const words = bind(h("p", { class: "help" }), "doc.nopicture");
    sheet.picture.replaceChildren(words);
    sheet.picture.removeAttribute("aria-hidden");
  }
}
