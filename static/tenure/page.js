/* Small conveniences; every page works without them. */
(function () {
  "use strict";
  /* A menu closes on Escape and on a click elsewhere. */
  function closeMenus(except) {
    document.querySelectorAll("details.tn-menu[open]").forEach(function (menu) {
      if (menu !== except) { menu.open = false; }
    });
  }
  document.addEventListener("click", function (event) { closeMenus(event.target.closest("details.tn-menu")); });
  document.addEventListener("keydown", function (event) {
    if (event.key !== "Escape") { return; }
    var open = document.querySelector("details.tn-menu[open]");
    if (open) { open.open = false; open.querySelector("summary").focus(); }
  });
  /* Folded parts are printed open. */
  window.addEventListener("beforeprint", function () {
    document.querySelectorAll("main details:not([open])").forEach(function (part) {
      part.setAttribute("data-folded", "");
      part.open = true;
    });
  });
  window.addEventListener("afterprint", function () {
    document.querySelectorAll("main details[data-folded]").forEach(function (part) {
      part.removeAttribute("data-folded");
      part.open = false;
    });
  });
  document.addEventListener("click", function (event) {
    if (event.target.closest("[data-print]")) { window.print(); }
  });
  /* A form is sent once. */
  document.addEventListener("submit", function (event) {
    if (event.target.hasAttribute("data-sent")) { event.preventDefault(); return; }
    if (event.target.method === "post") { event.target.setAttribute("data-sent", ""); }
  });
  document.addEventListener("htmx:afterRequest", function (event) {
    if (event.target.removeAttribute) { event.target.removeAttribute("data-sent"); }
  });
  window.addEventListener("pageshow", function () {
    document.querySelectorAll("form[data-sent]").forEach(function (form) { form.removeAttribute("data-sent"); });
  });
  /* What a part of the page answers is read out and seen. */
  document.addEventListener("htmx:afterSwap", function (event) {
    var told = event.target.querySelector("[data-focus]");
    if (told) { told.setAttribute("tabindex", "-1"); told.focus(); }
  });
})();
