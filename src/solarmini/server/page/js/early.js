// Runs before the first paint, so that the page never flashes in the wrong look.
"use strict";
(() => {
  const kept = (name) => {
    try {
      return localStorage.getItem(name);
    } catch {
      return null;
    }
  };
  const theme = kept("solar.theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  const language =
    kept("solar.language") ?? ((navigator.language || "").startsWith("ko") ? "ko" : "en");
  document.documentElement.lang = language === "ko" ? "ko" : "en";
})();
