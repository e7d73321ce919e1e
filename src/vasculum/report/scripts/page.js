// The page as a whole: which gallery is to be seen, and that everything is open on paper.

const byId = (id) => document.getElementById(id);

const startPage = () => {
  document.documentElement.classList.add("js");
  const panels = [...document.querySelectorAll(".panel")];
  const chooser = byId("chooser");
  const show = () => panels.forEach((panel) => { panel.hidden = panel.id !== chooser.value; });
  if (chooser) {
    chooser.addEventListener("change", show);
    show();
  }
  // On paper nothing can be opened: open it before, and close it again after.
  let closed = [];
  window.addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("main details:not([open])")];
    closed.forEach((part) => { part.open = true; });
  });
  window.addEventListener("afterprint", () => closed.forEach((part) => { part.open = false; }));
};
