// Lists as CSV, as `vasculum export` writes them: RFC 4180, UTF-8 (here with a mark, for Excel), texts made harmless.

const LISTED = ["media_id", "institutionCode", "collectionCode", "catalogNumber", "family", "genus", "specificEpithet",
  "scientificName", "file", "status"];
// What a spreadsheet would run as a formula gets a single quote in front (store/formulas.py, UNSAFE).
const UNSAFE = /^'*[=+\-@\t\r\n]/;

const csvField = (value) => {
  if (value === null || value === undefined) return "";
  if (typeof value !== "string") return String(value);
  const harmless = UNSAFE.test(value) ? `'${value}` : value;
  return harmless === "" || /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
};

const csvOf = (table, rows) => {
  const columns = [...LISTED.map((name) => table.named[name]), ...table.results];
  const line = (fields) => `${fields.map(csvField).join(",")}\r\n`;
  // A whole number that a browser cannot hold is a text here and digits in the file.
  const value = (column, row) => (column.kind === "whole" && typeof column.raw(row) === "string"
    ? { toString: () => column.raw(row) } : column.raw(row));
  return ["\ufeff", line(columns.map((column) => column.name)),
    ...rows.map((row) => line(columns.map((column) => value(column, row))))];
};

const saveFile = (name, parts) => {
  const address = URL.createObjectURL(new Blob(parts, { type: "text/csv;charset=utf-8" }));
  const link = make("a", { href: address, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60000);
};
