// What a reader says of each breast, and how it is saved: docs/reference/verdicts.md has the format.

class Verdict {
  constructor(exam, form) {
    Object.assign(this, { exam, form, seconds: 0, since: document.hidden ? null : performance.now(), dirty: false });
    document.addEventListener("visibilitychange", () => {
      this.seconds = this.spent;
      this.since = document.hidden ? null : performance.now();
    });
    form.addEventListener("input", () => (this.dirty = true));
    form.addEventListener("submit", (event) => event.preventDefault());
    form.querySelector("#save-json")?.addEventListener("click", () => this.save("json"));
    form.querySelector("#save-csv")?.addEventListener("click", () => this.save("csv"));
    window.addEventListener("beforeunload", (event) => this.dirty && event.preventDefault());
  }

  /** Seconds that the page was seen. */
  get spent() { return this.seconds + (this.since === null ? 0 : (performance.now() - this.since) / 1000); }

  /** A row for each breast; what was not filled in is null. */
  rows() {
    const { data, ellipses, truthSeen } = this.exam;
    return data.breasts.map((laterality) => {
      const field = (name) => this.form.elements[`${name}-${laterality}`].value.trim();
      const number = (text) => (text === "" ? null : Number(text));
      return {
        exam_id: data.exam_id,
        laterality,
        reader: this.form.elements.reader.value.trim(),
        birads: number(field("birads")),
        score: number(field("score")),
        ellipses: ellipses.filter(({ image_id }) => data.images.find(({ id }) => id === image_id).side === laterality),
        seconds: Math.round(this.spent * 10) / 10,
        comment: field("comment"),
        truth_seen: truthSeen,
        exam_key: data.exam_key,
      };
    });
  }

  save(kind) {
    if (!this.form.reportValidity()) return;
    const rows = this.rows();
    const { exam_id, version, checkpoint_sha256 } = this.exam.data;
    const file = { format: "mammoseg-verdict-1", made_with: version, checkpoint_sha256, verdicts: rows };
    const text = kind === "json" ? `${JSON.stringify(file, null, 2)}\n` : csvText(rows);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: kind === "json" ? "application/json" : "text/csv" }));
    link.download = ["verdict", exam_id, rows[0]?.reader].map((part) => String(part).replace(/[^\w-]+/g, "_").slice(0, 60)).join("_") + `.${kind}`;
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
  return `${[Object.keys(rows[0] ?? {}), ...rows.map(Object.values)].map((row) => row.map(cell).join(",")).join("\n")}\n`;
}
