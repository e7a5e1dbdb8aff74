"use strict";
// The table of all systems: sorting by a column. What is empty stays at the end in both directions.

const body = document.querySelector("#systems tbody");
const inOrder = new Intl.Collator("en", { numeric: true }).compare;

for (const button of document.querySelectorAll("[data-sort]")) {
  const head = button.closest("th");
  button.addEventListener("click", () => {
    const isNumber = button.dataset.sort === "number";
    const [first, other] = isNumber ? ["descending", "ascending"] : ["ascending", "descending"];
    const order = head.getAttribute("aria-sort") === first ? other : first;
    for (const each of head.parentElement.cells) each.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", order);
    const sign = order === "ascending" ? 1 : -1;
    const compare = isNumber ? (a, b) => a - b : inOrder;
    const keyed = [...body.rows].map((row) => [row.cells[head.cellIndex].dataset.value, row]);
    keyed.sort(([a], [b]) => (a === "") - (b === "") || sign * compare(a, b));
    body.append(...keyed.map(([, row]) => row));
  });
}
