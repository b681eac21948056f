/* Selecting in the office's week. Loaded in the head, before the cells: the cell itself is selected, by a tick of its own
 * that is made here and not shown; without script the page can be asked for with ticks, and is a plain form.
 *
 *   blank, Ctrl+click, or click while "多选" is on: this cell on or off;  Shift+arrow, Shift+click: from there to here;
 *   Escape: nothing. A tick stays the one truth, so the form sends what is seen. Arrows themselves are keys.js's.
 *
 *   form[data-select] with .cell: its id ends in the session's, its <b> says taken/all or all, unless data-n and data-t
 *   (all, taken) do;  .bulk with [data-counts="… %1 … %2 … %3"], beyond
 *   [data-most] cells [data-toomany] instead and no button;  [data-picking]
 */
document.documentElement.classList.add("scripted");
document.addEventListener("DOMContentLoaded", () => {
  "use strict";
  const form = document.querySelector("[data-select]");
  if (!form || !form.querySelector(".cell")) return;
  const table = form.querySelector("[data-grid]");
  const bar = form.querySelector(".bulk");
  const counts = bar.querySelector("[data-counts]");
  const picking = form.querySelector("[data-picking]");
  let anchor = null; // where a range begins
  let tip = null; // where the last step ended: a range goes on from there
  let base = new Set(); // what was selected before the range
  let ranged = []; // what the range added
  let extending = false;

  const tickFor = (cell) => {
    const tick = document.createElement("input");
    const [taken, all] = cell.querySelector("b").textContent.match(/\d+/g) ?? [];
    tick.type = "checkbox";
    tick.className = "tick";
    tick.name = "schedule";
    tick.value = cell.id.split("-")[1];
    tick.dataset.n = cell.dataset.n ?? all ?? taken;
    tick.dataset.t = cell.dataset.t ?? (all ? taken : 0);
    return tick;
  };
  for (const tick of table.querySelectorAll(".tick")) tick.remove();
  for (const cell of table.querySelectorAll(".cell")) cell.before(tickFor(cell));

  const tickOf = (cell) => cell.previousElementSibling;
  const chosen = () => [...table.querySelectorAll(".tick:checked")];
  const cellOf = (target) => target.closest?.(".cell");

  const show = () => {
    const ticks = chosen();
    const sum = (name) => ticks.reduce((total, tick) => total + Number(tick.dataset[name]), 0);
    bar.hidden = !ticks.length;
    form.classList.toggle("picked", ticks.length > 0);
    const said = [ticks.length, sum("n"), sum("t")];
    const toomany = ticks.length > Number(counts.dataset.most);
    const words = toomany ? counts.dataset.toomany : counts.dataset.counts;
    counts.textContent = ticks.length ? words.replace(/%(\d)/g, (_all, place) => said[place - 1]) : "";
    for (const button of bar.querySelectorAll("button[name]")) button.disabled = toomany;
  };
  const begin = (cell) => {
    anchor = tip = cell;
    base = new Set(chosen());
    ranged = [];
  };
  const toggle = (cell) => {
    tickOf(cell).checked = !tickOf(cell).checked;
    begin(cell);
    show();
  };
  const place = (cell) => [cell.closest("tr").rowIndex, cell.closest("td").cellIndex];
  const extend = (cell) => {
    if (!anchor?.isConnected) begin(cell);
    tip = cell;
    for (const tick of ranged) tick.checked = base.has(tick);
    const [one, other] = [place(anchor), place(cell)];
    const [top, left] = [Math.min(one[0], other[0]), Math.min(one[1], other[1])];
    const [bottom, right] = [Math.max(one[0], other[0]), Math.max(one[1], other[1])];
    ranged = [];
    for (const row of [...table.rows].slice(top, bottom + 1)) {
      if (row.matches(".dept")) continue;
      for (const column of [...row.cells].slice(left, right + 1)) ranged.push(...column.querySelectorAll(".tick"));
    }
    for (const tick of ranged) tick.checked = true;
    show();
  };
  const clear = () => {
    for (const tick of chosen()) tick.checked = false;
    anchor = tip = null;
    ranged = [];
    show();
  };

  /* before htmx and the link itself hear of it */
  table.addEventListener(
    "click",
    (event) => {
      const cell = cellOf(event.target);
      const several = event.ctrlKey || event.metaKey || picking?.getAttribute("aria-pressed") === "true";
      if (!cell || !(several || event.shiftKey)) return;
      event.preventDefault();
      event.stopPropagation();
      cell.focus();
      if (event.shiftKey) extend(cell);
      else toggle(cell);
    },
    true,
  );
  table.addEventListener("keydown", (event) => {
    const cell = cellOf(event.target);
    if (!cell || event.isComposing || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.code === "Space") {
      event.preventDefault();
      if (!event.repeat) toggle(cell);
    } else if (event.shiftKey && event.code.startsWith("Arrow")) {
      if (cell !== tip) begin(cell);
      extending = true; // keys.js moves the focus next
      setTimeout(() => (extending = false));
    }
  });
  table.addEventListener("focusin", (event) => extending && cellOf(event.target) && extend(cellOf(event.target)));
  document.addEventListener("keydown", (event) => {
    if (event.code !== "Escape" || bar.hidden || event.target.matches?.("input, select, textarea")) return;
    event.preventDefault();
    clear();
  });
  bar.querySelector("[data-clear]")?.addEventListener("click", clear);
  picking?.addEventListener("click", () => {
    picking.setAttribute("aria-pressed", String(picking.getAttribute("aria-pressed") !== "true"));
  });
  show();
});
