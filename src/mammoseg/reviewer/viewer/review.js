// The verdict goes to the server. It is saved once the server says so; then the page has all that it may have.

const keyOfExam = document.querySelector("[data-exam]").dataset.exam;
const kept = document.querySelector("#kept");

function fill({ reader, done, total, verdicts }) {
  const { form } = exam.verdict;
  form.elements.reader.value = reader;
  document.querySelector("#progress").textContent = `${done} of ${total} read`;
  for (const { laterality, birads, score, comment, ellipses } of verdicts) {
    for (const [name, value] of Object.entries({ birads, score, comment })) {
      const field = form.elements[`${name}-${laterality}`];
      if (field) field.value = value ?? "";
    }
    exam.ellipses.push(...ellipses.filter(({ image_id }) => exam.data.images.some(({ id }) => id === image_id)));
  }
  if (verdicts.length) {
    kept.textContent = "Your verdict is saved. Saving again adds a new one.";
    exam.listEllipses();
    exam.verdict.dirty = false;
  }
}

async function keep() {
  const { form } = exam.verdict;
  if (!form.reportValidity()) return;
  const button = document.querySelector("#keep");
  button.disabled = true;
  try {
    const verdicts = exam.verdict.rows().map(({ exam_id, exam_key, reader, ...row }) => row);
    const page = document.querySelector('[name="mammoseg-page"]').content;
    await ask(`/exams/${keyOfExam}/verdict`, { reader: form.elements.reader.value, page, verdicts });
    exam.verdict.dirty = false;
    location.reload();
  } catch (error) {
    button.disabled = false;
    kept.textContent = `Not saved. ${error.message}`;
    exam.say("Not saved");
  }
}

exam.verdict.form.addEventListener("submit", keep);
ask(`/exams/${keyOfExam}/state`).then(fill, (error) => (kept.textContent = error.message)).finally(() => (document.body.dataset.filled = "true"));
