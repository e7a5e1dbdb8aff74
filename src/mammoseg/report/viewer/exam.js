// The page of an exam: its state, the controls and keys that change it, and the start.

const zoomIn = (exam) => exam.zoom(exam.focused, 1.25);
const KEYS = {
  a: (exam) => exam.set("width", 1, "level", 0),
  m: (exam) => exam.next("map", ["off", "colour", "contour"]),
  c: (exam) => exam.next("shownClass", ["all", ...exam.classes.map(({ name }) => name)]),
  n: (exam) => exam.step(1),
  N: (exam) => exam.step(-1),
  r: (exam) => exam.reset(),
  "[": (exam) => exam.nudge("threshold", -0.05),
  "]": (exam) => exam.nudge("threshold", 0.05),
  ",": (exam) => exam.nudge("opacity", -0.1),
  ".": (exam) => exam.nudge("opacity", 0.1),
  "+": zoomIn,
  "=": zoomIn,
  "-": (exam) => exam.zoom(exam.focused, 0.8),
  ArrowLeft: (exam, event) => (event.shiftKey ? exam.window(0.9, 0) : exam.panScreen(-40, 0)),
  ArrowRight: (exam, event) => (event.shiftKey ? exam.window(1 / 0.9, 0) : exam.panScreen(40, 0)),
  ArrowUp: (exam, event) => (event.shiftKey ? exam.window(1, 0.05) : exam.panScreen(0, -40)),
  ArrowDown: (exam, event) => (event.shiftKey ? exam.window(1, -0.05) : exam.panScreen(0, 40)),
  Enter: (exam) => exam.enlarge(exam.focused),
  Escape: (exam) => exam.enlarged && exam.enlarge(exam.enlarged),
  "?": (exam) => exam.help.showModal(),
};
for (const [key, tool] of [["w", "window"], ["p", "pan"], ["e", "ellipse"]]) KEYS[key] = (exam) => exam.set("tool", tool);
const SWITCHES = { i: "invert", f: "findings", b: "patches", t: "truth", l: "linked" };
for (const [key, name] of Object.entries(SWITCHES)) KEYS[key] = (exam) => exam.toggle(name);

class Exam {
  constructor(data) {
    Object.assign(this, { data, classes: data.classes, ellipses: [], chosen: null, enlarged: null, truthSeen: false });
    this.help = document.querySelector("#help");
    this.status = document.querySelector("#status");
    this.state = {
      ...{ tool: "window", width: 1, level: 0, invert: false, linked: true },
      ...{ map: "colour", shownClass: "all", opacity: 0.5, threshold: 0.25 },
      ...{ findings: true, patches: false, truth: false },
    };
    try {
      if (!data.images.length) this.painter = new PlainPainter(); // gaps alone
      else if (!("DecompressionStream" in window)) throw new Error("no DecompressionStream");
      this.painter ??= new Painter(this.classes);
      this.painter.restored = () => this.redraw();
    } catch (error) {
      this.usePlain();
    }
    this.views = data.images.map((image) => new View(image, document.querySelector(`[data-image="${CSS.escape(image.id)}"]`), this));
    this.focused = this.views[0];
    this.verdict = new Verdict(this, document.querySelector("#verdict"));
    this.listen();
    this.measure();
  }

  usePlain() {
    this.painter = new PlainPainter();
    this.state.map = "contour";
    document.body.classList.add("plain");
    document.querySelector("#plain-note").hidden = false;
    for (const input of document.querySelectorAll('[name="map"][value="colour"], [data-key="opacity"]')) input.disabled = true;
  }

  classOf(name) { return this.classes.find((each) => each.name === name); }
  isShown(k) { return this.state.shownClass === "all" || this.classes[k].name === this.state.shownClass; }
  isListed(finding) { return finding.score >= this.state.threshold && this.isShown(this.classes.findIndex(({ name }) => name === finding.label)); }
  
  /** Shown for a while, and read out. */
  say(words) {
    this.status.textContent = words;
    clearTimeout(this.saying);
    this.saying = setTimeout(() => (this.status.textContent = ""), 2500);
  }


  /** Every image at the same scale: the largest at which each of the four lies in its view. */
  measure() {
    this.inMm = this.data.images.every(({ pixel_mm }) => pixel_mm);
    const fits = this.views.filter(({ width }) => width).map(({ image, width, height }) => {
      const unit = this.inMm ? image.pixel_mm[0] : 1;
      return Math.min(width / (image.shape[1] * unit), height / (image.shape[0] * unit));
    });
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

  /** `set("tool", "pan", ...)`: names and values. */
  set(...pairs) {
    for (let i = 0; i < pairs.length; i += 2) this.state[pairs[i]] = pairs[i + 1];
    if (this.state.truth) this.truthSeen = true;
    for (const input of document.querySelectorAll("[data-key]")) {
      const value = this.state[input.dataset.key];
      if (input.type === "radio") input.checked = input.value === value;
      else if (input.type === "checkbox") input.checked = value;
      else {
        input.value = value;
        input.nextElementSibling.textContent = value.toFixed(2);
      }
    }
    document.body.dataset.tool = this.state.tool;
    if (this.started && typeof pairs[1] !== "number") this.say(`${pairs[0]}: ${pairs[1] === true ? "on" : pairs[1] === false ? "off" : pairs[1]}`);
    this.redraw();
  }

  toggle(name) {
    const input = document.querySelector(`[data-key="${name}"]`);
    if (input && !input.disabled) this.set(name, !this.state[name]);
  }

  next(name, values) {
    const open = values.filter((value) => !document.querySelector(`[data-key="${name}"][value="${CSS.escape(value)}"]`)?.disabled);
    this.set(name, open[(open.indexOf(this.state[name]) + 1) % open.length]);
  }

  nudge(name, by) {
    const value = Math.round(Math.min(1, Math.max(name === "threshold" ? 0.01 : 0, this.state[name] + by)) * 100) / 100;
    this.set(name, value);
    this.say(`${name} ${value.toFixed(2)}`);
  }

  window(wider, higher) {
    const width = Math.min(20, Math.max(0.02, this.state.width * wider));
    this.set("width", width, "level", Math.min(3, Math.max(-3, this.state.level + higher)));
  }

  /** Change the position of a view, and of all where they are linked. */
  move(view, change) {
    const position = view.within(change(view.within(view.position)));
    for (const each of this.state.linked ? this.views : [view]) each.position = position;
    this.redraw();
  }

  pan(view, out, down) { this.move(view, (at) => ({ ...at, out: at.out + out, down: at.down + down })); }
  panScreen(x, y) { this.pan(this.focused, this.focused.image.column === 0 ? -x : x, y); }

  /** Around a point of the screen, or the middle of the view. */
  zoom(view, factor, point = [view.width / 2, view.height / 2]) {
    const [out, down] = view.outward(point);
    this.move(view, (at) => {
      const zoom = Math.min(MOST_ZOOM, Math.max(0.5, at.zoom * factor));
      const by = zoom / at.zoom;
      return { zoom, out: (at.out + out) * by - out, down: (at.down + down) * by - down };
    });
  }

  reset() {
    this.chosen = null;
    for (const view of this.views) view.position = START;
    this.set("width", 1, "level", 0, "invert", false);
    this.say("Views and window as at first");
  }

  enlarge(view) {
    this.enlarged = this.enlarged ? null : view;
    document.querySelector("#views").classList.toggle("one", this.enlarged !== null);
    for (const each of this.views) each.figure.classList.toggle("enlarged", each === this.enlarged);
    for (const each of this.views) each.position = START;
    this.measure();
    if (this.enlarged) view.position = view.positionOf(view.image.shape.map((size) => size / 2), 1); // alone it is in the middle
    view.figure.focus({ preventScroll: true });
  }

  choose(finding) {
    this.chosen = finding;
    const view = this.views.find(({ image }) => image.findings.includes(finding));
    if (this.enlarged && this.enlarged !== view) this.enlarge(this.enlarged);
    const [top, left, bottom, right] = finding.box ?? [...finding.peak, ...finding.peak];
    const across = Math.max(bottom - top, right - left, 60) * (view.scale / view.position.zoom);
    const zoom = Math.min(6, Math.max(1.5, (Math.min(view.width, view.height) * 0.3) / across));
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
  stretch(image, from, to) {
    if (this.drawn) this.ellipses.pop();
    const inside = (value, size) => Math.min(size, Math.max(0, value));
    const [top, bottom] = [from[0], to[0]].map((row) => inside(row, image.shape[0])).sort((a, b) => a - b);
    const [left, right] = [from[1], to[1]].map((column) => inside(column, image.shape[1])).sort((a, b) => a - b);
    this.drawn = ellipseIn(image.id, [top, left, bottom, right]);
    this.ellipses.push(this.drawn);
    this.redraw();
  }

  keepEllipse() {
    if (this.drawn && Math.min(this.drawn.semi_rows, this.drawn.semi_columns) < 1) this.ellipses.pop(); // no more than a click
    this.drawn = null;
    this.listEllipses();
  }

  listEllipses() {
    document.querySelector("#ellipses").replaceChildren(...this.ellipses.map((ellipse, number) => {
      const [item, button] = ["li", "button"].map((name) => document.createElement(name));
      const words = `esion ${number + 1}, ${this.data.images.find(({ id }) => id === ellipse.image_id).name}`;
      Object.assign(button, { type: "button", textContent: "Remove", ariaLabel: `Remove l${words}` });
      button.addEventListener("click", () => {
        this.ellipses.splice(number, 1);
        this.listEllipses();
      });
      item.append(`L${words} `, button);
      return item;
    }));
    this.verdict.dirty ||= this.ellipses.length > 0;
    this.redraw();
  }

  listen() {
    this.findings = this.data.images.flatMap(({ findings }) => findings).sort((a, b) => a.rank - b.rank);
    for (const view of this.views) {
      view.listen();
      view.figure.addEventListener("focus", () => (this.focused = view));
    }
    document.querySelectorAll("[data-finding]").forEach((button) =>
      button.addEventListener("click", () => this.choose(this.findings[button.dataset.finding])));
    for (const input of document.querySelectorAll("[data-key]")) {
      const value = () => (input.type === "checkbox" ? input.checked : input.type === "range" ? Number(input.value) : input.value);
      input.addEventListener("input", () => this.set(input.dataset.key, value()));
    }
    document.querySelector("#ask-help").addEventListener("click", () => this.help.showModal());
    document.querySelector("#reset").addEventListener("click", () => this.reset());
    document.querySelector("#take-finding")?.addEventListener("click", () => {
      const image = this.data.images.find(({ findings }) => findings.includes(this.chosen));
      if (!image?.findings || !this.chosen.box) return this.say("Choose a finding first");
      this.ellipses.push(ellipseIn(image.id, this.chosen.box));
      this.listEllipses();
    });
    document.addEventListener("keydown", (event) => {
      const { target, key } = event;
      const action = KEYS[key] ?? KEYS[key.toLowerCase()];
      const isWriting = target.matches("textarea, select, input:not([type=radio], [type=checkbox], [type=range])");
      const isItsOwn = (key.startsWith("Arrow") && target.matches("input")) || (key === "Enter" && !target.matches(".view"));
      if (!action || isWriting || isItsOwn || (!this.focused && key !== "?") || this.help.open || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      action(this, event);
    });
    new ResizeObserver(() => this.measure()).observe(document.querySelector("#views"));
  }

  /** Unpack the images one after the other; each is shown as soon as it is there. */
  async load() {
    for (const view of this.views) {
      const { image } = view;
      try {
        if ("DecompressionStream" in window) image.maps.data = await inflated(image.maps.data);
        else image.maps.shape = [0, 0, 0];
        if (this.painter instanceof Painter) {
          const packed = document.querySelector(`[data-pixels="${CSS.escape(image.id)}"]`).textContent.trim();
          image.levels = halved(await unpackedPixels(packed, image.packed.shape), image.packed.shape);
        } else await image.picture.decode();
        this.painter.add(image);
        view.ready = true;
        this.redraw();
      } catch (error) {
        view.figure.querySelector(".levels").textContent = `cannot be shown: ${error.message}`;
      }
    }
    document.body.dataset.ready = "true";
  }
}

function ellipseIn(image_id, [top, left, bottom, right]) {
  const tenth = (value) => Math.round(value * 10) / 10;
  const [row, column] = [tenth((top + bottom) / 2), tenth((left + right) / 2)];
  return { image_id, row, column, semi_rows: tenth((bottom - top) / 2), semi_columns: tenth((right - left) / 2) };
}

const exam = new Exam(JSON.parse(document.querySelector("#exam").textContent));
exam.set();
exam.started = true;
exam.load();
