// "All images": puts the table, its filters, ticks and lists together.

const startImages = async () => {
  const section = byId("images");
  const packed = byId("packed");
  if (!section || !packed) return;
  if (typeof DecompressionStream === "undefined") {
    byId("images-note").textContent = "This browser is too old to unpack the table of all images: here are the first ones. "
      + "A browser of 2023 or newer shows all; vasculum export writes them to a file.";
    return;
  }
  const table = await readRows(packed.textContent);
  const ticks = startTicks(table, section.dataset.place);
  const state = { rows: [], sort: null, page: 0, size: Number(byId("size").value) };
  const shown = startColumns(table, () => { head(); refilter(); });
  const filters = startFilters(table, shown, () => refilter());
  const tellPager = startPager(state, () => draw());
  const all = `of ${some(table.rows, "image")}`;

  const draw = () => {
    const first = state.page * state.size;
    const here = state.rows.slice(first, first + state.size);
    const columns = shown();
    byId("rows").replaceChildren(...here.map((row) => {
      const line = make("tr", ticks.has(row) ? { class: "ticked" } : {});
      line.append(...columns.map((column) => cellOf(table, ticks, column, row)));
      return line;
    }));
    const amount = count(state.rows.length);
    byId("rows-said").textContent = !here.length ? `No image matches, ${all}.`
      : `Rows ${count(first + 1)}–${count(first + here.length)} of ${filters.any() ? `${amount} that match, ${all}` : some(state.rows.length, "image")}.`;
    tellPager();
    tell();
  };
  const head = () => byId("head").replaceChildren(...shown().map((column) => headOf(column, state.sort, sorted)));
  const resort = () => {
    state.page = 0;
    const { sort } = state;
    state.rows = sort ? sortRows(state.rows, [{ key: sort.column.key, down: sort.down }]) : state.rows.slice().sort((a, b) => a - b);
    draw();
  };
  const refilter = () => {
    state.rows = filters.matching();
    resort();
  };
  // Up, down, then as in the cabinets again.
  const sorted = (column) => {
    const again = state.sort?.column === column;
    state.sort = again && state.sort.down ? null : { column, down: again };
    const at = shown().indexOf(column);
    head();
    byId("head").children[at].querySelector("button").focus();
    resort();
  };

  // What the lists are of: the ticked, or all that match where none is.
  const wanted = () => (ticks.amount() ? ticks.rows() : state.rows);
  const tell = () => {
    const amount = ticks.amount();
    let words = amount ? `${count(amount)} ticked.` : "None ticked: the lists are of all that match.";
    const out = amount && filters.any() ? amount - state.rows.reduce((sum, row) => sum + (ticks.has(row) ? 1 : 0), 0) : 0;
    if (out) words += ` ${count(out)} of them ${out === 1 ? "does" : "do"} not match the filters.`;
    if (!ticks.kept()) words += " This browser will not keep the ticks once the page is closed.";
    if (byId("ticked-said").textContent !== words) byId("ticked-said").textContent = words;
    const of = amount ? `${count(amount)} ticked` : `${count(state.rows.length)} that match`;
    document.querySelectorAll(".lists .amount").forEach((place) => { place.textContent = ` (${of})`; });
  };
  byId("rows").addEventListener("change", ({ target }) => {
    ticks.set(Number(target.dataset.row), target.checked);
    target.closest("tr").classList.toggle("ticked", target.checked);
    tell();
  });
  byId("tick-all").addEventListener("click", () => { ticks.setAll(state.rows, true); draw(); });
  byId("untick").addEventListener("click", () => { ticks.setAll(ticks.rows(), false); draw(); });
  const inOrder = () => (ticks.amount() && state.sort ? sortRows(wanted(), [{ key: state.sort.column.key, down: state.sort.down }]) : wanted());
  const file = (kind) => `${section.dataset.file}-${kind}.csv`;
  byId("save").addEventListener("click", () => saveFile(file("list"), csvOf(table, inOrder())));
  byId("save-picks").addEventListener("click", () => saveFile(file("pick-list"), csvOf(table, cabinetOrder(table, wanted()).map(({ row }) => row))));
  byId("print-picks").addEventListener("click", () => {
    const rows = wanted();
    drawPicks(table, cabinetOrder(table, rows), `${some(rows.length, "image")} ${ticks.amount() ? "ticked" : "that match"}`);
    printPicks();
  });

  head();
  refilter();
  section.classList.add("live");
};
