// Which rows match: a search over all columns that are shown, a status, an institution, a range of one number.

const option = (value, text) => make("option", { value }, text);

const fillSelect = (select, column) => {
  const counts = new Map();
  column.values.forEach((label) => counts.set(label, (counts.get(label) ?? 0) + 1));
  const labels = [...counts.keys()].sort((a, b) => (a === null) - (b === null)
    || collator.compare(column.labels[a] ?? "", column.labels[b] ?? ""));
  // The value of an option is a place among the labels, "none" for rows without one.
  select.append(...labels.map((label) => option(label ?? "none",
    `${label === null ? "(none)" : plain(column.labels[label]).slice(0, 60)} (${count(counts.get(label))})`)));
};

const byLabel = (column, chosen) => {
  const wanted = chosen === "none" ? null : Number(chosen);
  return (row) => column.values[row] === wanted;
};

const numberIn = (id) => (byId(id).value.trim() === "" ? null : byId(id).valueAsNumber);

const startFilters = (table, shown, changed) => {
  const [search, status, institution, number] = ["search", "status", "institution", "number"].map(byId);
  fillSelect(status, table.named.status);
  fillSelect(institution, table.named.institutionCode);
  number.append(...table.results.filter((column) => column.numeric)
    .map((column) => option(column.name, `${column.of}: ${column.title}`)));
  byId("range").hidden = number.options.length === 0;

  const tests = () => {
    const found = [];
    if (status.value) found.push(byLabel(table.named.status, status.value));
    if (institution.value) found.push(byLabel(table.named.institutionCode, institution.value));
    const [low, high] = [numberIn("least"), numberIn("most")];
    if (low !== null || high !== null) {
      const { key } = table.named[number.value];
      found.push((row) => key(row) !== null && (low === null || key(row) >= low) && (high === null || key(row) <= high));
    }
    const query = search.value.trim().toLowerCase();
    if (query) {
      const matchers = shown().map((column) => column.matcher(query));
      found.push((row) => matchers.some((matches) => matches(row)));
    }
    return found;
  };
  const matching = () => {
    const all = tests();
    const rows = [];
    for (let row = 0; row < table.rows; row += 1) if (all.every((test) => test(row))) rows.push(row);
    return rows;
  };

  let waiting = 0;
  const later = () => {
    clearTimeout(waiting);
    waiting = setTimeout(changed, 150);
  };
  const fields = [search, status, institution, number, byId("least"), byId("most")];
  fields.forEach((field) => field.addEventListener(field.localName === "select" ? "change" : "input", later));
  byId("unfilter").addEventListener("click", () => {
    [search, status, institution, byId("least"), byId("most")].forEach((field) => { field.value = ""; });
    changed();
  });
  return { matching, any: () => tests().length > 0 };
};
