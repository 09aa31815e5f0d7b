"use strict";
(() => {
  const boxes = new Map(), rows = new Map(), order = [];
  const said = document.querySelector("output");
  for (const row of document.querySelectorAll("aside li[data-of]")) {
    rows.set(row.dataset.of, row);
    order.push(row.dataset.of);
  }
  for (const box of document.querySelectorAll(".element")) boxes.set(box.dataset.of, box);
  let now = null;
  document.documentElement.dataset.alive = "yes";

  function show(id, scroll) {
    if (id !== now) {
      for (const part of [boxes.get(now), rows.get(now)]) part?.classList.remove("on");
      now = id;
      for (const part of [boxes.get(id), rows.get(id)]) part?.classList.add("on");
      const row = rows.get(id);
      const head = document.createElement("strong");
      head.textContent = row.dataset.head;
      said.replaceChildren(head, row.querySelector("template").content.textContent);
      said.scrollTop = 0;
    }
    const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const how = { block: "nearest", behavior: calm ? "auto" : "smooth" };
    if (scroll !== "box") rows.get(id).scrollIntoView({ block: "nearest" });
    if (scroll === "box" || scroll === "both") boxes.get(id)?.scrollIntoView({ ...how, block: "center" });
  }

  for (const [id, box] of boxes) {
    box.addEventListener("mouseenter", () => show(id, "row"));
    box.addEventListener("focus", () => show(id, "row"));
    box.addEventListener("click", () => rows.get(id).querySelector("button").focus());
  }
  for (const [id, row] of rows) {
    const button = row.querySelector("button");
    button.addEventListener("focus", () => show(id, "box"));
    button.addEventListener("click", () => show(id, "both"));
  }
  document.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1, ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step || event.altKey || event.ctrlKey || event.metaKey || event.target.matches("input")) return;
    let at = now === null ? (step > 0 ? -1 : order.length) : order.indexOf(now);
    do at += step; while (order[at] && rows.get(order[at]).hidden);
    if (!order[at]) return;
    event.preventDefault();
    rows.get(order[at]).querySelector("button").focus({ preventScroll: true });
    show(order[at], "both");
  });
  for (const box of document.querySelectorAll("input[data-category]")) {
    box.addEventListener("change", () => {
      for (const part of document.querySelectorAll(`[data-kind="${box.dataset.category}"]`)) {
        part.toggleAttribute("hidden", !box.checked);
        part.style.display = box.checked ? "" : "none";
      }
    });
  }
  for (const box of document.querySelectorAll("input[data-layer]")) {
    box.addEventListener("change", () => {
      document.body.classList.toggle("no-" + box.dataset.layer, !box.checked);
    });
  }
})();
