// The document section: take a file, have it read, show its pages beside what was read.
import { ask, Fault } from "./api.js";
import { AskPane } from "./ask.js";
import { byId, h, icon, say } from "./dom.js";
import { bind, counted, number, onLanguage, t, translate } from "./i18n.js";
import { clearNotice, showFault } from "./notice.js";
import { PagesPane } from "./pages.js";
import { ResultPane } from "./result.js";
import { tabList } from "./tabs.js";

const ACCEPTED = ".pdf,.png,.jpg,.jpeg,.tif,.tiff,.bmp,.webp,.gif,.docx,.pptx,.xlsx,.hwpx";

// Which element is pointed at or chosen; both panes listen.
export class Selection extends EventTarget {
  now = null;

  // `from` is the pane that asks; `scroll` brings the element into view in the others.
  point(id, from, scroll = false) {
    if (id === this.now && !scroll) return;
    this.now = id;
    this.dispatchEvent(new CustomEvent("point", { detail: { id, from, scroll } }));
  }
}

class DocumentView {
  constructor(host) {
    this.host = host;
    this.control = null;
    this.paper = null;
    this.notice = h("div", { class: "doc-notice" });
    this.body = h("div", { class: "doc-body" });
    this.input = h("input", {
      type: "file",
      accept: ACCEPTED,
      class: "hidden",
      id: "file",
      tabindex: "-1",
      "aria-hidden": "true",
    });
    this.input.addEventListener("change", () => {
      if (this.input.files[0]) this.read(this.input.files[0]);
      this.input.value = "";
    });
    host.append(this.input, this.notice, this.body);
    this.catchFiles();
    this.drawEmpty();
  }

  catchFiles() {
    const over = (on) => this.host.classList.toggle("over", on);
    this.host.addEventListener("dragover", (event) => {
      event.preventDefault();
      over(true);
    });
    this.host.addEventListener("dragleave", (event) => {
      if (!this.host.contains(event.relatedTarget)) over(false);
    });
    this.host.addEventListener("drop", (event) => {
      event.preventDefault();
      over(false);
      if (event.dataTransfer.files[0]) this.read(event.dataTransfer.files[0]);
    });
    document.addEventListener("paste", (event) => {
      const file = event.clipboardData?.files[0];
      if (file && !this.host.hidden) this.read(file);
    });
  }

  drawEmpty() {
    this.host.classList.remove("full");
    const choose = bind(
      h("button", { type: "button", class: "primary", on: { click: () => this.input.click() } }),
      "doc.choose",
    );
    const force = h("input", { type: "checkbox", id: "force" });
    this.body.replaceChildren(
      h(
        "div",
        { class: "drop" },
        h("span", { class: "drop-icon" }, icon("file")),
        bind(h("h2"), "doc.drop"),
        h("p", {}, bind(h("span"), "doc.or"), " ", choose),
        bind(h("p", { class: "help" }), "doc.kinds"),
        h("label", { class: "check" }, force, bind(h("span"), "doc.force")),
      ),
    );
    this.force = force;
  }

  drawBusy(name) {
    const clock = h("span", { class: "clock" });
    const began = performance.now();
    const tick = () =>
      (clock.textContent = t("doc.seconds", {
        seconds: number((performance.now() - began) / 1000),
      }));
    tick();
    this.ticking = setInterval(tick, 1000);
    const stop = h("button", {
      type: "button",
      text: t("cancel"),
      on: { click: () => this.control?.abort() },
    });
    this.body.replaceChildren(
      h(
        "div",
        { class: "drop busy", role: "status" },
        h("span", { class: "spinner", "aria-hidden": "true" }),
        h("h2", { text: t("doc.reading", { name }) }),
        h("p", {}, clock),
        stop,
      ),
    );
    stop.focus();
  }

  async read(file) {
    this.control?.abort();
    const control = new AbortController();
    this.control = control;
    const forced = this.force?.checked ?? false;
    this.close();
    clearNotice(this.notice);
    this.drawBusy(file.name);
    const form = new FormData();
    form.append("document", file, file.name);
    form.append("output_formats", '["html", "markdown", "text"]');
    form.append("ocr", forced ? "force" : "auto");
    const began = performance.now();
    try {
      const answer = await ask("/v1/document-digitization", { form, signal: control.signal });
      this.draw(file, answer, (performance.now() - began) / 1000);
    } catch (fault) {
      if (this.control !== control) return;
      this.drawEmpty();
      if (fault.name === "AbortError") return;
      // words first: an empty answer is no error of the reader
      showFault(
        this.notice,
        fault,
        fault instanceof Fault && [400, 413, 415].includes(fault.status)
          ? null
          : () => this.read(file),
      );
    } finally {
      if (this.control === control) clearInterval(this.ticking);
    }
  }

  draw(file, answer, seconds) {
    clearInterval(this.ticking);
    this.host.classList.add("full");
    const selection = new Selection();
    const pages = new PagesPane(file, answer, selection);
    const result = new ResultPane(file, answer, selection);
    const asking = new AskPane(file, pages);
    this.paper = {
      pages,
      relabel: () => {
        pages.relabel();
        shown.textContent = t("doc.facts", facts());
      },
    };
    const facts = () => ({
      pages: counted("page", answer.usage.pages),
      elements: counted("element", answer.elements.length),
      seconds: number(seconds, 1),
    });
    const shown = h("span", { class: "facts", text: t("doc.facts", facts()) });
    const head = h(
      "div",
      { class: "doc-head" },
      h("h2", { class: "doc-name", title: file.name, text: file.name }),
      shown,
      bind(
        h("button", { type: "button", class: "another", on: { click: () => this.input.click() } }),
        "doc.another",
      ),
    );
    const side = this.side(result, asking);
    this.body.replaceChildren(
      ...[head, problemsOf(answer)].filter(Boolean),
      h("div", { class: "doc-panes" }, pages.root, side),
    );
    translate(this.host);
    this.select("pane-rendered");
    say(t("doc.read", { name: file.name, ...facts() }));
    head.firstChild.tabIndex = -1;
    head.firstChild.focus();
    pages.start();
  }

  side(result, asking) {
    const panes = [
      ["rendered", result.rendered],
      ["markdown", result.markdown],
      ["json", result.json],
      ["ask", asking.root],
    ];
    const list = h("div", {
      class: "tabs small-tabs",
      role: "tablist",
      "data-t-label": "doc.result",
    });
    const holders = panes.map(([name, pane]) => {
      const id = `pane-${name}`;
      list.append(
        bind(
          h("button", { type: "button", role: "tab", id: `tab-${name}`, "aria-controls": id }),
          `doc.${name}`,
        ),
      );
      return h(
        "div",
        {
          id,
          class: `pane pane-${name}`,
          role: "tabpanel",
          "aria-labelledby": `tab-${name}`,
          hidden: true,
        },
        pane,
      );
    });
    const root = h("div", { class: "doc-side" }, list, holders);
    // the tabs find their panels in the page, so they are wired once they are in it
    this.select = (id) => {
      this.select = tabList(list);
      this.select(id);
    };
    return root;
  }

  close() {
    this.paper?.pages.close();
    this.paper = null;
    clearInterval(this.ticking);
  }
}

function problemsOf(answer) {
  if (!answer.problems?.length) return null;
  const lines = answer.problems
    .slice(0, 20)
    .map((problem) =>
      h("li", {
        text: `${problem.page ? `${t("doc.page", { page: problem.page })}: ` : ""}${problem.what}`,
      }),
    );
  return h("div", { class: "notice" }, bind(h("p"), "doc.problems"), h("ul", {}, lines));
}

export function startDocument() {
  const view = new DocumentView(byId("document"));
  onLanguage(() => view.paper?.relabel());
}
