"use strict";
(() => {
  document.documentElement.classList.add("js");
  const panels = [...document.querySelectorAll(".panel")];
  const chooser = document.getElementById("chooser");
  const show = () => panels.forEach((panel) => { panel.hidden = panel.id !== chooser.value; });
  if (chooser) {
    chooser.addEventListener("change", show);
    show();
  }
  // On paper nothing can be opened: open it before, and close it again after.
  let closed = [];
  window.addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open])")];
    closed.forEach((part) => { part.open = true; });
  });
  window.addEventListener("afterprint", () => closed.forEach((part) => { part.open = false; }));
})();
