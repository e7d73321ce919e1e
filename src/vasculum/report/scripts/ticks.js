// The ticked rows, kept in this browser under the study's name by their ids: rows may come and go, ids stay.

const startTicks = (table, place) => {
  const { raw } = table.named.media_id;
  const ticked = new Uint8Array(table.rows);
  let amount = 0;
  let kept = true;
  let waiting = 0;

  const set = (row, on) => {
    if (Boolean(ticked[row]) === on) return;
    ticked[row] = on ? 1 : 0;
    amount += on ? 1 : -1;
  };
  const load = () => {
    try {
      const ids = new Set((localStorage.getItem(place) ?? "").split(" ").filter(Boolean));
      if (ids.size) for (let row = 0; row < table.rows; row += 1) if (ids.has(raw(row))) set(row, true);
    } catch {
      kept = false;
    }
  };
  const rows = () => {
    const found = [];
    for (let row = 0; row < table.rows; row += 1) if (ticked[row]) found.push(row);
    return found;
  };
  const save = () => {
    clearTimeout(waiting);
    waiting = 0;
    try {
      if (amount) localStorage.setItem(place, rows().map(raw).join(" "));
      else localStorage.removeItem(place);
      kept = true;
    } catch {
      kept = false;
    }
    return kept;
  };
  // Thousands of ids take a moment to write: not at every tick, but before the page goes.
  const saveSoon = () => {
    clearTimeout(waiting);
    waiting = setTimeout(save, amount > 1000 ? 400 : 0);
  };
  window.addEventListener("pagehide", () => { if (waiting) save(); });
  load();
  return {
    has: (row) => ticked[row] === 1,
    amount: () => amount,
    kept: () => kept,
    rows,
    set: (row, on) => { set(row, on); saveSoon(); },
    setAll: (some_, on) => { some_.forEach((row) => set(row, on)); return save(); },
  };
};
