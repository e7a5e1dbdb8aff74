// What a reader says of each breast, and how it is saved: docs/reference/verdicts.md has the format.

const COLUMNS = ["exam_id", "laterality", "reader", "birads", "score", "ellipses", "seconds", "comment", "truth_seen", "exam_key"];

class Verdict {
  constructor(exam, form) {
    Object.assign(this, { exam, form, seconds: 0, since: document.hidden ? null : performance.now(), dirty: false });
    document.addEventListener("visibilitychange", () => {
      if (this.since !== null) this.seconds += (performance.now() - this.since) / 1000;
      this.since = document.hidden ? null : performance.now();
    });
    form.addEventListener("input", () => (this.dirty = true));
    form.addEventListener("submit", (event) => event.preventDefault());
    form.querySelector("#save-json")?.addEventListener("click", () => this.save("json"));
    form.querySelector("#save-csv")?.addEventListener("click", () => this.save("csv"));
    window.addEventListener("beforeunload", (event) => this.dirty && event.preventDefault());
  }

  /** A row for each breast; what was not filled in is null. */
  rows() {
    const reader = this.form.elements.reader.value.trim();
    const spent = this.seconds + (this.since === null ? 0 : (performance.now() - this.since) / 1000);
    return this.exam.data.breasts.map((laterality) => {
      const field = (name) => this.form.elements[`${name}-${laterality}`].value.trim();
      const number = (text) => (text === "" ? null : Number(text));
      const sides = new Map(this.exam.data.images.map(({ id, side }) => [id, side]));
      return {
        exam_id: this.exam.data.exam_id,
        laterality,
        reader,
        birads: number(field("birads")),
        score: number(field("score")),
        ellipses: this.exam.ellipses.filter(({ image_id }) => sides.get(image_id) === laterality),
        seconds: Math.round(spent * 10) / 10,
        comment: field("comment"),
        truth_seen: this.exam.truthSeen,
        exam_key: this.exam.data.exam_key,
      };
    });
  }

  save(kind) {
    if (!this.form.reportValidity()) return;
    const rows = this.rows();
    const { data } = this.exam;
    const about = { format: "mammoseg-verdict-1", made_with: data.version, checkpoint_sha256: data.checkpoint_sha256 };
    const text = kind === "json" ? `${JSON.stringify({ ...about, verdicts: rows }, null, 2)}\n` : csvText(rows);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: kind === "json" ? "application/json" : "text/csv" }));
    link.download = ["verdict", data.exam_id, rows[0]?.reader].map((part) => String(part).replace(/[^\w-]+/g, "_").slice(0, 60)).join("_") + `.${kind}`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    this.dirty = false;
    this.exam.say(`Saved ${link.download}`);
  }
}

/** As mammoseg writes tables: a text that a spreadsheet would run as a formula gets an apostrophe in front. */
function csvText(rows) {
  const cell = (value) => {
    let text = value === null ? "" : typeof value === "object" ? JSON.stringify(value) : String(value);
    if (typeof value === "string" && /^'*[=+\-@\t\r]/.test(text) && !/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text)) text = `'${text}`;
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return `${[COLUMNS, ...rows.map((row) => COLUMNS.map((name) => row[name]))].map((row) => row.map(cell).join(",")).join("\n")}\n`;
}
