// Pick lists, as one walks along the cabinets: family, genus, species, then number; without a family last.

const MOST_PRINTED = 5000;
const trimmed = (column, row) => (column.raw(row) ?? "").trim();

// A name without the signs of hybrids; rows.py (`_unsigned`, `_cabinet_order`) does the same.
const unsigned = (column, row) => trimmed(column, row).replaceAll("×", " ").split(/\s+/).filter((word) => word && !/^x$/i.test(word)).join(" ");

// Genus and species as published, else the first words of the name.
const plantOf = (table, row) => {
  const { scientificName, genus, specificEpithet } = table.named;
  const [first = "", second = ""] = unsigned(scientificName, row).split(" ");
  return {
    genus: unsigned(genus, row) || first,
    species: unsigned(specificEpithet, row) || (/^[\p{Ll}-]+$/u.test(second) ? second : ""),
  };
};

const emptyLast = (a, b) => (a === "") - (b === "") || collator.compare(a, b);

const cabinetOrder = (table, rows) => rows
  .map((row) => ({ row, family: trimmed(table.named.family, row), ...plantOf(table, row), number: trimmed(table.named.catalogNumber, row) }))
  .sort((a, b) => emptyLast(a.family, b.family) || emptyLast(a.genus, b.genus) || emptyLast(a.species, b.species)
    || emptyLast(a.number, b.number) || exactly(a.number, b.number) || a.row - b.row);

const pickLine = (table, { row, number }) => {
  const { institutionCode, collectionCode, scientificName, file } = table.named;
  const where = [trimmed(institutionCode, row), trimmed(collectionCode, row)].filter(Boolean).join(" ");
  return make("tr", {},
    make("td", { class: "box" }, make("span", { class: "tick-here" })),
    make("th", { scope: "row" }, stranger(number || "no number")),
    make("td", { class: "name" }, stranger(scientificName.raw(row) || "no name")),
    make("td", {}, stranger(where)),
    make("td", { class: "file" }, stranger(file.raw(row) ?? "")));
};

const pickHead = () => make("thead", {}, make("tr", {},
  ...["Done", "Catalogue number", "Name", "Collection", "File"].map((title) => make("th", { scope: "col" }, title))));

// Fill the section that only paper shows.
const drawPicks = (table, ordered, said) => {
  const families = [];
  ordered.slice(0, MOST_PRINTED).forEach((pick) => {
    const last = families.at(-1);
    if (last && collator.compare(last.family, pick.family) === 0) last.picks.push(pick);
    else families.push({ family: pick.family, picks: [pick] });
  });
  const without = ordered.filter((pick) => pick.family === "").length;
  const notes = [`${said}, by family, genus, species and catalogue number.`];
  if (without) notes.push(`${some(without, "image")} without a family ${without === 1 ? "is" : "are"} at the end.`);
  if (ordered.length > MOST_PRINTED) notes.push(`Here are the first ${count(MOST_PRINTED)}: save the pick list as CSV for all.`);
  byId("picks-said").textContent = notes.join(" ");
  byId("picks-list").replaceChildren(...families.map(({ family, picks }) => make("section", { class: "family" },
    make("h3", {}, family ? stranger(family) : "No family", make("span", { class: "note" }, ` ${count(picks.length)}`)),
    make("table", {}, pickHead(), make("tbody", {}, ...picks.map((pick) => pickLine(table, pick)))))));
};

const printPicks = () => {
  const { classList } = document.documentElement;
  classList.add("picking");
  window.addEventListener("afterprint", () => classList.remove("picking"), { once: true });
  window.print();
};
