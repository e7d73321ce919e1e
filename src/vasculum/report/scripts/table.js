// The table over all images: its head with the sorting, its rows a page at a time.

const SHOWN_FIRST = 6;
const MARKS = { none: "↕", ascending: "▲", descending: "▼" };

// How each column of a record is shown; those of the results show their text.
const cellOf = (table, ticks, column, row) => {
  const { named } = table;
  const content = column.text(row);
  if (column.name === "catalogNumber") {
    const box = make("input", { type: "checkbox", "data-row": row });
    box.checked = ticks.has(row);
    const number = content || "no number";
    const label = make("label", { class: "tick" }, box, stranger(number), make("span", { class: "unseen" }, `, tick ${named.scientificName.text(row) || "this image"}`));
    return make("th", { scope: "row" }, label);
  }
  if (column.name === "status") {
    const detail = named.detail.text(row);
    return make("td", content === "ok" ? {} : { class: "bad" }, stranger(content), detail ? make("span", { class: "detail" }, stranger(detail)) : null);
  }
  if (column.name === "file") {
    const page = named.record_page.raw(row);
    const link = page && safeLink(page);
    return make("td", { class: "file" }, link ? make("a", { href: link, rel: "noopener noreferrer", target: "_blank" },
      "Record", make("span", { class: "unseen" }, ` of ${named.catalogNumber.text(row)} (opens a new page)`)) : stranger(content));
  }
  return make("td", { class: column.numeric ? "n" : column.name === "scientificName" ? "name" : null }, stranger(content));
};

const headOf = (column, sort, sorted) => {
  const way = sort?.column === column ? (sort.down ? "descending" : "ascending") : "none";
  const button = make("button", { type: "button" }, column.of ? make("span", { class: "of" }, column.of) : null,
    column.title, make("span", { class: "mark", "aria-hidden": "true" }, MARKS[way]));
  const head = make("th", { scope: "col", "aria-sort": way, class: column.numeric ? "n" : null }, button);
  button.addEventListener("click", () => sorted(column));
  return head;
};

// Which results columns are to be seen: the first few, until others are chosen.
const startColumns = (table, changed) => {
  const hidden = new Set(table.results.slice(SHOWN_FIRST));
  const tell = () => {
    byId("columns-said").textContent = `Columns: ${count(table.results.length - hidden.size)} of ${some(table.results.length, "results column")} shown`;
  };
  byId("columns").replaceChildren(...table.results.map((column) => {
    const box = make("input", { type: "checkbox" });
    box.checked = !hidden.has(column);
    box.addEventListener("change", () => {
      if (box.checked) hidden.delete(column);
      else hidden.add(column);
      tell();
      changed();
    });
    return make("li", {}, make("label", {}, box, make("span", { class: "of" }, column.of), column.title));
  }));
  byId("choose-columns").hidden = table.results.length === 0;
  tell();
  // The file stands last: what was found out is to be seen before it.
  const record = table.columns.filter((column) => !column.of && column.title && column.name !== "file");
  return () => [...record, ...table.results.filter((column) => !hidden.has(column)), table.named.file];
};

const startPager = (state, draw) => {
  const go = (page) => {
    state.page = Math.min(Math.max(0, page), Math.max(0, Math.ceil(state.rows.length / state.size) - 1));
    draw();
  };
  byId("previous").addEventListener("click", () => go(state.page - 1));
  byId("next").addEventListener("click", () => go(state.page + 1));
  byId("page").addEventListener("change", () => go((byId("page").valueAsNumber || 1) - 1));
  byId("size").addEventListener("change", () => {
    const first = state.page * state.size;
    state.size = Number(byId("size").value);
    go(Math.floor(first / state.size));
  });
  return () => {
    const pages = Math.max(1, Math.ceil(state.rows.length / state.size));
    byId("page").value = state.page + 1;
    byId("page").max = pages;
    byId("pages").textContent = `of ${count(pages)}`;
    byId("previous").setAttribute("aria-disabled", state.page === 0);
    byId("next").setAttribute("aria-disabled", state.page + 1 >= pages);
  };
};
