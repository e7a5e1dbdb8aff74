"use strict";
// The table of all exams: sorting by a column, and rows that the filters leave out.

const body = document.querySelector("#exams tbody");
const rows = [...body.rows];
const form = document.querySelector("#filters");
const inOrder = new Intl.Collator("en", { numeric: true }).compare;

for (const button of document.querySelectorAll("[data-sort]")) {
  const head = button.closest("th");
  button.addEventListener("click", () => {
    // numbers begin with the highest; what is empty stays at the end in both directions
    const first = button.dataset.sort === "number" ? "descending" : "ascending";
    const other = first === "ascending" ? "descending" : "ascending";
    const order = head.getAttribute("aria-sort") === first ? other : first;
    for (const each of head.parentElement.cells) each.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", order);
    const sign = order === "ascending" ? 1 : -1;
    const keyed = rows.map((row) => [row.cells[head.cellIndex].dataset.value, row]);
    const compare = button.dataset.sort === "number" ? (a, b) => a - b : inOrder;
    keyed.sort(([a], [b]) => (a === "") - (b === "") || sign * compare(a, b));
    body.append(...keyed.map(([, row]) => row));
  });
}

function filter() {
  const { elements } = form;
  const text = elements.text.value.toLowerCase();
  const limit = (name) => (elements[name]?.value ? Number(elements[name].value) : null);
  const [least, most, disagreement] = [limit("least"), limit("most"), limit("disagreement")];
  const within = (value, low, high) => (low === null && high === null)
    || (Boolean(value) && Number(value) >= (low ?? -Infinity) && Number(value) <= (high ?? Infinity)); // no value is within no limits
  const chosen = elements["score-class"].selectedIndex;
  const [label, wanted] = [elements.label?.selectedIndex - 1, elements.label?.value.split("=").pop()];
  let shown = 0;
  for (const row of rows) {
    const score = row.getAttribute(`data-score-${chosen}`);
    const isShown = (!text || `${row.cells[1].dataset.value}\n${row.cells[2].dataset.value}`.toLowerCase().includes(text))
      && within(score, least, most)
      && !(label >= 0 && row.getAttribute(`data-label-${Math.floor(label / 3)}`) !== wanted)
      && within(row.dataset.disagreement, disagreement, null)
      && (!elements.failed.checked || row.dataset.failed !== "0");
    row.hidden = !isShown;
    shown += isShown;
  }
  document.querySelector("#count").textContent = `${shown} shown`;
}

form.addEventListener("input", filter);
form.addEventListener("submit", (event) => event.preventDefault());
filter();
