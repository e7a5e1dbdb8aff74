// The page of an exam: its state, the controls and keys that change it, and the start.

const zoomIn = (exam) => exam.zoom(exam.focused, 1.25);
// Keys that are no control's: those have them in the template (data-hotkey).
const KEYS = {
  a: (exam) => exam.change({ width: 1, level: 0 }),
  n: (exam) => exam.step(1),
  N: (exam) => exam.step(-1),
  "[": (exam) => exam.nudge("threshold", -5),
  "]": (exam) => exam.nudge("threshold", 5),
  ",": (exam) => exam.nudge("opacity", -2),
  ".": (exam) => exam.nudge("opacity", 2),
  "+": zoomIn,
  "=": zoomIn,
  "-": (exam) => exam.zoom(exam.focused, 0.8),
  ArrowLeft: (exam, isShift) => (isShift ? exam.window(0.9, 0) : exam.panScreen(-40, 0)),
  ArrowRight: (exam, isShift) => (isShift ? exam.window(1 / 0.9, 0) : exam.panScreen(40, 0)),
  ArrowUp: (exam, isShift) => (isShift ? exam.window(1, 0.05) : exam.panScreen(0, -40)),
  ArrowDown: (exam, isShift) => (isShift ? exam.window(1, -0.05) : exam.panScreen(0, 40)),
  Enter: (exam) => exam.enlarge(exam.focused),
  Escape: (exam) => exam.enlarged && exam.enlarge(exam.enlarged),
};

class Exam {
  constructor(data) {
    Object.assign(this, { data, classes: data.classes, ellipses: [], chosen: null, enlarged: null, truthSeen: false });
    this.help = document.querySelector("#help");
    this.status = document.querySelector("#status");
    this.controls = [...document.querySelectorAll("[data-key]")];
    this.state = { width: 1, level: 0 };
    this.findings = data.images.flatMap(({ findings }) => findings).sort((a, b) => a.rank - b.rank);
    this.views = [...data.images, ...data.priors].map((image) => new View(image, document.querySelector(`[data-image="${CSS.escape(image.id)}"]`), this));
    this.focused = this.views[0];
    this.verdict = new Verdict(this, document.querySelector("#verdict"));
    this.listen();
    this.read();
  }

  isShown(name) { return this.state.class === "all" || this.state.class === name; }
  isListed({ score, label }) { return score >= this.state.threshold && this.isShown(label); }

  /** Shown for a while, and read out. */
  say(words) {
    this.status.textContent = words;
    clearTimeout(this.saying);
    this.saying = setTimeout(() => (this.status.textContent = ""), 2500);
  }

  /** Take over what the controls say: numbers, on or off, or one of several. */
  read() {
    for (const input of this.controls) {
      const { type, value, checked, dataset: { key } } = input;
      if (type === "checkbox") this.state[key] = checked;
      else if (type === "range") input.nextElementSibling.textContent = (this.state[key] = Number(value)).toFixed(2);
      else if (checked) this.state[key] = value;
    }
    this.truthSeen ||= this.state.truth === true;
    this.measure();
  }

  change(values) {
    Object.assign(this.state, values);
    this.redraw();
  }

  /** Every image at the same scale: the largest at which each of the four lies in its view. */
  measure() {
    this.inMm = this.views.every(({ image }) => image.pixel_mm);
    const fits = this.views.filter(({ width }) => width).map(({ image: { shape }, side, width, height }) =>
      Math.min(width / shape[1], height / shape[0]) / side);
    this.unit = 0.97 * Math.min(...fits);
    this.redraw();
  }

  redraw() {
    if (this.asked) return;
    this.asked = true;
    requestAnimationFrame(() => {
      this.asked = false;
      for (const view of this.views) view.draw();
      for (const button of document.querySelectorAll("[data-finding]")) {
        const finding = this.findings[button.dataset.finding];
        button.closest("li").hidden = !this.isListed(finding);
        button.setAttribute("aria-current", finding === this.chosen);
      }
    });
  }

  /** What the key of a control does: press it, or choose the next of several. */
  press(control) {
    const open = [...control.querySelectorAll("input:enabled")];
    const one = control.matches("fieldset") ? open[(open.findIndex(({ checked }) => checked) + 1) % open.length] : control;
    one?.click();
  }

  nudge(key, steps) {
    const slider = document.querySelector(`[data-key="${key}"]`);
    slider?.stepUp(steps);
    slider?.dispatchEvent(new Event("input"));
  }

  window(wider, higher) {
    const { width, level } = this.state;
    this.change({ width: between(width * wider, 0.02, 20), level: between(level + higher, -3, 3) });
  }

  /** Change the position of a view, and of all where they are linked. */
  move(view, change) {
    const position = view.within(change(view.within(view.position)));
    for (const each of this.state.linked ? this.views : [view]) each.position = position;
    this.redraw();
  }

  pan(view, out, down) { this.move(view, (at) => ({ ...at, out: at.out + out, down: at.down + down })); }
  panScreen(x, y) { this.pan(this.focused, this.focused.isRight ? -x : x, y); }

  /** Around a point of the screen, or the middle of the view. */
  zoom(view, factor, x = view.width / 2, y = view.height / 2) {
    const [out, down] = [view.isRight ? view.width - x : x, y - view.height / 2];
    this.move(view, (at) => {
      const zoom = between(at.zoom * factor, 0.5, MOST_ZOOM);
      const by = zoom / at.zoom;
      return { zoom, out: (at.out + out) * by - out, down: (at.down + down) * by - down };
    });
  }

  reset() {
    this.chosen = null;
    for (const view of this.views) view.position = START;
    document.querySelector('[data-key="invert"]').checked = false;
    this.change({ width: 1, level: 0, invert: false });
    this.say("Views and window as at first");
  }

  /** One view alone, with its prior where priors are shown; or all again. */
  enlarge(view) {
    this.enlarged = this.enlarged ? null : view;
    document.querySelector("#views").classList.toggle("one", this.enlarged !== null);
    const isPaired = ({ image: { row, column } }) => row === view.image.row && column === view.image.column;
    for (const each of this.views) {
      each.figure.classList.toggle("enlarged", this.enlarged !== null && isPaired(each));
      each.position = START;
    }
    this.measure();
    if (this.enlarged) this.move(view, () => view.positionOf(view.image.shape.map((size) => size / 2), 1)); // in the middle
    view.figure.focus({ preventScroll: true });
  }

  choose(finding) {
    this.chosen = finding;
    const view = this.views.find(({ image }) => image.id === finding.image_id);
    if (this.enlarged && this.enlarged !== view) this.enlarge(this.enlarged);
    const [top, left, bottom, right] = finding.box ?? [...finding.peak, ...finding.peak];
    const across = Math.max(bottom - top, right - left, 60) * view.fit;
    const zoom = between((Math.min(view.width, view.height) * 0.3) / across, 1.5, 6);
    this.move(view, () => view.positionOf(finding.peak, zoom));
    view.figure.scrollIntoView({ block: "nearest" });
    this.focused = view;
    this.say(`Finding ${finding.rank}: ${finding.label} ${finding.score.toFixed(2)}, ${view.image.name}`);
  }

  step(by) {
    const listed = this.findings.filter((each) => this.isListed(each));
    if (listed.length) this.choose(listed[(listed.indexOf(this.chosen) + by + listed.length + (this.chosen ? 0 : by < 0)) % listed.length]);
  }

  /** The ellipse in the rectangle between two places, while it is being drawn. */
  stretch({ id, shape }, from, to) {
    if (this.drawn) this.ellipses.pop();
    const [[top, bottom], [left, right]] = [0, 1].map((axis) =>
      [from[axis], to[axis]].map((at) => between(at, 0, shape[axis])).sort((a, b) => a - b));
    this.drawn = ellipseIn(id, [top, left, bottom, right]);
    this.ellipses.push(this.drawn);
    this.redraw();
  }

  listEllipses() {
    this.drawn = null;
    this.ellipses = this.ellipses.filter(({ semi_rows, semi_columns }) => Math.min(semi_rows, semi_columns) >= 1); // more than a click
    document.querySelector("#ellipses").replaceChildren(...this.ellipses.map(({ image_id }, number) => {
      const item = document.querySelector("#lesion").content.firstElementChild.cloneNode(true);
      const [words, button] = item.children;
      words.textContent = `${number + 1}, ${this.data.images.find(({ id }) => id === image_id).name}`;
      button.ariaLabel = `Remove lesion ${words.textContent}`;
      button.addEventListener("click", () => {
        this.ellipses.splice(number, 1);
        this.verdict.dirty = true;
        this.listEllipses();
      });
      return item;
    }));
    this.verdict.dirty ||= this.ellipses.length > 0;
    this.redraw();
  }

  /** The box of the chosen finding as a lesion. */
  takeFinding() {
    if (!this.chosen?.box) return this.say("Choose a finding first");
    this.ellipses.push(ellipseIn(this.chosen.image_id, this.chosen.box));
    this.listEllipses();
  }

  listen() {
    for (const view of this.views) view.listen();
    for (const button of document.querySelectorAll("[data-finding]")) {
      button.addEventListener("click", () => this.choose(this.findings[button.dataset.finding]));
    }
    for (const input of this.controls) {
      input.addEventListener("input", () => {
        this.read();
        const value = this.state[input.dataset.key];
        this.say(`${input.dataset.key}: ${value === true ? "on" : value === false ? "off" : input.value}`);
      });
    }
    document.querySelector("#ask-help").addEventListener("click", () => this.help.showModal());
    document.querySelector("#reset").addEventListener("click", () => this.reset());
    document.querySelector("#take-finding")?.addEventListener("click", () => this.takeFinding());
    document.addEventListener("keydown", (event) => {
      const { target, key } = event;
      const control = document.querySelector(`[data-hotkey="${CSS.escape(key.toLowerCase())}"]`);
      const action = KEYS[key] ?? KEYS[key.toLowerCase()] ?? (control && (() => this.press(control)));
      const isWriting = target.matches("textarea, select, input:not([type=radio], [type=checkbox], [type=range])");
      const isItsOwn = (key.startsWith("Arrow") && target.matches("input")) || (key === "Enter" && !target.matches(".view"));
      if (!action || isWriting || isItsOwn || (!this.focused && key !== "?") || this.help.open || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      action(this, event.shiftKey);
    });
    new ResizeObserver(() => this.measure()).observe(document.querySelector("#views"));
  }

  /** How images are drawn; building it may take a second. */
  choosePainter() {
    try {
      this.painter = new Painter(this.classes, () => this.redraw());
    } catch (error) {
      this.painter = new PlainPainter();
      document.body.classList.add("plain");
      document.querySelector("#plain-note").hidden = false;
      for (const input of document.querySelectorAll('[data-key="map"][value="colour"], [data-key="opacity"]')) input.disabled = true;
      document.querySelector('[data-key="map"][value="contour"]')?.click();
    }
  }

  /** The pictures of the template first; then all pixels, one image after the other, each shown as soon as it is there. */
  async load() {
    await Promise.allSettled(this.views.map(({ image }) => image.picture.decode()));
    await new Promise(requestAnimationFrame);
    await soon();
    performance.mark("pictures");
    if (this.views.length) this.choosePainter();
    const unpacked = this.views.map(({ image }) => this.painter.unpack(image));
    for (const [number, view] of this.views.entries()) {
      try {
        this.painter.add(view.image, await unpacked[number]);
        view.start();
        await soon();
      } catch (error) {
        view.figure.querySelector(".levels").textContent = `cannot be shown: ${error.message}`;
      }
    }
    performance.mark("pixels");
    document.body.dataset.ready = "true";
  }
}

/** After what waits in the browser: frames, keys, the mouse. */
function soon() { return new Promise((done) => setTimeout(done)); }

function ellipseIn(image_id, [top, left, bottom, right]) {
  const tenth = (value) => Math.round(value * 10) / 10;
  const [row, column] = [tenth((top + bottom) / 2), tenth((left + right) / 2)];
  return { image_id, row, column, semi_rows: tenth((bottom - top) / 2), semi_columns: tenth((right - left) / 2) };
}

const exam = new Exam(JSON.parse(document.querySelector("#exam").textContent));
exam.load();
