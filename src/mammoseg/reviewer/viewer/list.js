"use strict";
// The list of exams, a part at a time, and who reads.

const [nameForm, work, filters] = ["#name", "#work", "#filters"].map((name) => document.querySelector(name));
const part = Number(document.querySelector("main").dataset.page);
let start = 0;
let asked = 0;
let exams = 0;

function cell(parent, words, kind = "td") {
  const made = document.createElement(kind);
  if (kind === "th") made.scope = "col";
  if (typeof words === "number") {
    made.className = "n";
    words = Number.isInteger(words) ? words : words.toFixed(2);
  }
  made.append(words);
  parent.append(made);
  return made;
}

function link({ key, exam_id }) {
  const made = document.createElement("a");
  made.href = `/exams/${key}`;
  made.textContent = exam_id;
  return made;
}

function show({ reader, exams: listed, found, done, total, classes, unread }) {
  nameForm.hidden = reader !== "";
  work.hidden = reader === "";
  if (!reader) return;
  document.querySelector("#who").textContent = `Reader ${reader}`;
  document.querySelector("#bar").value = total ? done / total : 0;
  document.querySelector("#progress").textContent = `${done} of ${total} read`;
  document.querySelector("#next").hidden = done === total;
  document.querySelector("#count").textContent = listed.length ? `${start + 1} to ${start + listed.length} of ${found}` : "none";
  document.querySelector("#back").disabled = start === 0;
  document.querySelector("#on").disabled = start + part >= found;
  document.querySelector("#unread").textContent = unread ? `${unread} images have no record that can be read.` : "";
  const shown = listed.some(({ scores }) => scores) ? classes : [];
  const heads = document.querySelector("#heads");
  heads.replaceChildren();
  for (const words of ["exam", "images", ...shown, "verdict"]) cell(heads, words, "th");
  const rows = listed.map((exam) => {
    const row = document.createElement("tr");
    cell(row, link(exam));
    cell(row, exam.images);
    for (const name of shown) cell(row, exam.scores && name in exam.scores ? Number(exam.scores[name]).toFixed(2) : "").className = "n";
    cell(row, exam.done ? "saved" : "");
    return row;
  });
  document.querySelector("#exams tbody").replaceChildren(...rows);
  const { by } = filters.elements;
  if (by?.options.length === 1) by.append(...classes.map((name) => new Option(`highest ${name} first`, name)));
  document.body.dataset.ready = "true";
}

async function load() {
  const number = ++asked;
  const wanted = new URLSearchParams({ start });
  for (const [name, value] of new FormData(filters)) if (value) wanted.set(name, value);
  try {
    const answer = await ask(`/index.json?${wanted}`);
    if (number === asked) show(answer);
    exams = answer.total;
  } catch (error) {
    document.querySelector("#count").textContent = error.message;
  }
}

function turn(by) {
  start = Math.max(0, start + by);
  load();
}

nameForm.addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    await ask("/reader", { reader: nameForm.elements.reader.value });
    load();
  } catch (error) {
    document.querySelector("#wrong").textContent = error.message;
  }
});
filters.addEventListener("submit", (event) => event.preventDefault());
filters.addEventListener("input", () => turn(-start));
document.querySelector("#back").addEventListener("click", () => turn(-part));
document.querySelector("#on").addEventListener("click", () => turn(part));

/** Exams may have come; at the start the server may still be looking. */
async function follow() {
  await load();
  setTimeout(follow, exams ? 10000 : 1000);
}

follow();
