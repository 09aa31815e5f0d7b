// Tab lists after the ARIA pattern: one stop for Tab, arrows move, the panel follows.

// Wire the tabs of `list`; `chosen(id)` is told of the panel that is shown now. Returns select(id).
export function tabList(list, chosen) {
  const tabs = [...list.querySelectorAll("[role=tab]")];
  const panelOf = (tab) => document.getElementById(tab.getAttribute("aria-controls"));

  function select(id, focus = false) {
    for (const tab of tabs) {
      const on = tab.getAttribute("aria-controls") === id;
      tab.setAttribute("aria-selected", String(on));
      tab.tabIndex = on ? 0 : -1;
      panelOf(tab).hidden = !on;
      if (on && focus) tab.focus();
    }
    chosen?.(id);
  }

  for (const [place, tab] of tabs.entries()) {
    tab.addEventListener("click", () => select(tab.getAttribute("aria-controls")));
    tab.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      let to = step ? (place + step + tabs.length) % tabs.length : null;
      if (event.key === "Home") to = 0;
      if (event.key === "End") to = tabs.length - 1;
      if (to === null) return;
      event.preventDefault();
      select(tabs[to].getAttribute("aria-controls"), true);
    });
  }
  return select;
}
