/* Runs before the first paint: the reader's choice of light or dark, else the system's. */
(function () {
  "use strict";
  var key = "tenure-theme";
  var dark = window.matchMedia("(prefers-color-scheme: dark)");
  function chosen() {
    try { return window.localStorage.getItem(key); } catch (error) { return null; }
  }
  function show() {
    var choice = chosen();
    var theme = choice === "light" || choice === "dark" ? choice : dark.matches ? "dark" : "light";
    document.documentElement.setAttribute("data-bs-theme", theme);
    var button = document.getElementById("theme-toggle");
    if (button) {
      button.hidden = false;
      button.setAttribute("aria-pressed", String(theme === "dark"));
    }
  }
  function toggle() {
    var next = document.documentElement.getAttribute("data-bs-theme") === "dark" ? "light" : "dark";
    try { window.localStorage.setItem(key, next); } catch (error) { /* Kept for this page only. */ }
    document.documentElement.setAttribute("data-bs-theme", next);
    show();
  }
  show();
  dark.addEventListener("change", show);
  document.addEventListener("DOMContentLoaded", function () {
    show();
    var button = document.getElementById("theme-toggle");
    if (button) { button.addEventListener("click", toggle); }
  });
})();
