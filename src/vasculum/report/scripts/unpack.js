// The rows as they are packed into the page, and their columns as they are shown, compared and searched.

const unpack = async (packed) => {
  const letters = atob(packed);
  const bytes = new Uint8Array(letters.length);
  for (let i = 0; i < letters.length; i += 1) bytes[i] = letters.charCodeAt(i);
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
};

// Digits after the point that tell the values of a column apart, as far as a person would want them.
const decimalsOf = (values) => {
  let low = Infinity;
  let high = -Infinity;
  values.forEach((value) => {
    if (value === null) return;
    if (value < low) low = value;
    if (value > high) high = value;
  });
  const apart = (high - low) / 100;
  return apart > 0 && apart < Infinity ? Math.min(12, Math.max(0, 1 - Math.floor(Math.log10(apart)))) : 3;
};

const numberWriter = (values) => {
  const digits = decimalsOf(values);
  const fixed = new Intl.NumberFormat("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return (value) => {
    const size = Math.abs(value);
    const written = size >= 1e12 || (size > 0 && size < 1e-3 && digits > 5) ? value.toExponential(2) : fixed.format(value);
    return written.replace("-", "−");
  };
};

// `text(row)`: what is shown, "" for none. `raw(row)`: what is saved. `order`: compares two rows, those without
// a value last. `matcher(query)`: tells for a row whether what is shown of it holds the query.
const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });
const exactly = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

const textColumn = ({ labels, values, ...column }) => {
  let ranks = null;
  const rank = () => {
    if (ranks === null) {
      const sorted = labels.map((_, at) => at).sort((a, b) => collator.compare(labels[a], labels[b]) || exactly(labels[a], labels[b]));
      ranks = new Int32Array(labels.length);
      sorted.forEach((label, place) => { ranks[label] = place; });
    }
    return ranks;
  };
  return {
    ...column, labels, values, numeric: false,
    text: (row) => (values[row] === null ? "" : plain(labels[values[row]])),
    raw: (row) => (values[row] === null ? null : labels[values[row]]),
    key: (row) => (values[row] === null ? null : rank()[values[row]]),
    matcher: (query) => {
      const found = labels.map((label) => label.toLowerCase().includes(query));
      return (row) => values[row] !== null && found[values[row]];
    },
  };
};

const numberColumn = (column) => {
  const { values, kind } = column;
  const numbers = kind === "whole" ? values.map((value) => (value === null ? null : Number(value))) : values;
  const write = kind === "yes or no" ? (value) => (value ? "yes" : "no")
    : kind === "whole" ? (value) => (typeof value === "string" ? value : count(value)).replace("-", "−") : numberWriter(numbers);
  return {
    ...column, numeric: kind !== "yes or no",
    text: (row) => (values[row] === null ? "" : write(values[row])),
    raw: (row) => (values[row] === null ? null : kind === "yes or no" ? Boolean(values[row]) : values[row]),
    key: (row) => numbers[row],
    matcher: (query) => {
      if (kind !== "yes or no" && !/\d/.test(query)) return () => false;
      const wanted = query.replace(/-/g, "−");
      return (row) => values[row] !== null && (write(values[row]).includes(wanted) || String(values[row]).includes(query));
    },
  };
};

const readRows = async (packed) => {
  const { rows, columns } = await unpack(packed);
  const read = columns.map((column) => (column.labels ? textColumn(column) : numberColumn(column)));
  const named = Object.fromEntries(read.map((column) => [column.name, column]));
  return { rows, columns: read, named, results: read.filter((column) => column.of) };
};

// Rows sorted by keys, each a function of a row or null where it has none; ties stay in their order.
const sortRows = (rows, keys) => rows.slice().sort((a, b) => {
  for (const { key, down } of keys) {
    const [x, y] = [key(a), key(b)];
    if (x !== y) {
      if (x === null) return 1;
      if (y === null) return -1;
      return (x < y ? -1 : 1) * (down ? -1 : 1);
    }
  }
  return a - b;
});
