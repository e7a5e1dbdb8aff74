// The views of an exam: where each image lies in its canvas, what is drawn on it, and what the pointer does with it.

const SVG = "http://www.w3.org/2000/svg";
const DASHES = { solid: "none", dashed: "7 5", dotted: "2 4" };
const BAR_MM = [100, 50, 20, 10, 5, 2, 1, 0.5, 0.2, 0.1];
const MOST_ZOOM = 40;
const START = { zoom: 1, out: 0, down: 0 };
const TRUTH = "#8fd694";
const between = (value, least, most) => Math.min(most, Math.max(least, value));

function svg(name, attributes, parent) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  parent.append(made);
  return made;
}

const rectangle = ([top, left, bottom, right]) => `M${left} ${top}H${right}V${bottom}H${left}Z`;

/**
 * One image. Places are in pixels of its file. On the screen, "out" counts from the chest wall outwards, so that all views move
 * alike: `position` is {zoom, out, down}, of which `out` and `down` are screen pixels by which the image is moved.
 */
class View {
  constructor(image, figure, exam) {
    Object.assign(this, { image, figure, exam, position: START, ready: false, isRight: image.column === 0 });
    for (const name of ["stage", "marks", "levels", "bar"]) this[name] = figure.querySelector(`.${name}`);
    this.canvas = figure.querySelector("canvas");
    image.picture = figure.querySelector("img");
  }

  /** Take over from the still picture and outlines of the template. */
  start() {
    this.marks.replaceChildren();
    this.marks.removeAttribute("preserveAspectRatio");
    this.onFile = svg("g", {}, this.marks); // in pixels of the file
    this.onScreen = svg("g", {}, this.marks);
    this.figure.classList.add("live");
    this.ready = true;
    this.draw();
  }

  get width() { return this.stage.clientWidth; }
  get height() { return this.stage.clientHeight; }

  /** Of a pixel of the file: millimetres, or 1 where no size is known; on the screen, before zoom and with it. */
  get side() { return this.exam.inMm ? this.image.pixel_mm[0] : 1; }
  get fit() { return this.exam.unit * this.side; }
  get scale() { return this.fit * this.position.zoom; }

  /** Column = ax x + bx, row = ay y + by of screen pixels x, y. */
  get place() {
    const { image: { shape: [rows, columns], points_right }, scale, isRight } = this;
    const { out, down } = this.within(this.position);
    const edge = ((isRight ? this.width : 0) + out) / scale; // the left edge of the view, from the chest wall
    return {
      ax: (points_right === isRight ? -1 : 1) / scale,
      bx: points_right ? edge : columns - edge,
      ay: 1 / scale,
      by: rows / 2 + (down - this.height / 2) / scale,
    };
  }

  /** The nearest position in which the middle of the view is on the image, or the image hangs at its wall. */
  within({ zoom, out, down }) {
    const [rows, columns] = this.image.shape.map((size) => size * this.fit * zoom);
    const middle = this.width / 2;
    return { zoom, out: between(out, -middle, Math.max(0, columns - middle)), down: between(down, -rows / 2, rows / 2) };
  }

  /** Where in the file the pointer is. */
  fileAt({ offsetX, offsetY }) {
    const { ax, bx, ay, by } = this.place;
    return [ay * offsetY + by, ax * offsetX + bx];
  }

  /** The position in which a place of the file is in the middle. */
  positionOf([row, column], zoom) {
    const { image: { shape: [rows, columns], points_right }, fit } = this;
    const out = (points_right ? column : columns - column) * fit * zoom - this.width / 2;
    return { zoom, out, down: (row - rows / 2) * fit * zoom };
  }

  /** The stored values of black and white. */
  shown() {
    const [[low, high], { width, level, invert }] = [this.image.shown, this.exam.state];
    const [middle, half] = [(low + high) / 2 + (high - low) * level, ((high - low) * width) / 2];
    return invert ? [middle + half, middle - half] : [middle - half, middle + half];
  }

  draw() {
    const { canvas, image, exam, width, height } = this;
    if (!this.ready || !width) return;
    const density = window.devicePixelRatio || 1;
    const size = { width: Math.round(width * density), height: Math.round(height * density) };
    for (const side in size) if (canvas[side] !== size[side]) canvas[side] = size[side];
    const { ax, bx, ay, by } = this.place;
    const { map, opacity, threshold } = exam.state;
    const opacities = exam.classes.map(({ name }) => (map === "colour" && exam.isShown(name) ? opacity : 0));
    const look = { shown: this.shown(), opacities, threshold };
    exam.painter.draw(image, canvas, { ax: ax / density, bx, ay: ay / density, by }, look);
    this.drawMarks();
    const [low, high] = look.shown;
    this.levels.textContent = exam.painter instanceof PlainPainter ? "8-bit picture"
      : `W ${Math.round(Math.abs(high - low))}  L ${Math.round((low + high) / 2)}  x${this.position.zoom.toFixed(1)}`;
  }

  drawMarks() {
    const { marks, onFile, onScreen, exam, image, width, height } = this;
    const { state, classes, chosen } = exam;
    const { ax, bx, ay, by } = this.place;
    marks.setAttribute("viewBox", `0 0 ${width} ${height}`);
    onFile.setAttribute("transform", `matrix(${1 / ax} 0 0 ${1 / ay} ${-bx / ax} ${-by / ay})`);
    onFile.replaceChildren();
    onScreen.replaceChildren();
    for (const { name, colour, line } of classes.filter((each) => exam.isShown(each.name))) {
      if (state.map === "contour") this.line("contour", this.contour(classes.findIndex((each) => each.name === name)), colour, line);
      for (const finding of state.findings ? image.findings.filter((each) => each.label === name && exam.isListed(each)) : []) {
        this.line("finding", finding.path, finding === chosen ? "#fff" : colour, line, finding === chosen ? 2.4 : 1.4);
        const isLeft = name === classes[0].name; // two classes often point at the same place
        this.label(finding.box ?? [...finding.peak, ...finding.peak], finding.rank, colour, isLeft);
      }
      for (const outline of (state.truth && image.outlines[name]) || []) {
        this.line("truth", `M${outline.map(([row, column]) => `${column} ${row}`).join("L")}Z`, TRUTH, line, 2);
        const [row, column] = outline.reduce((a, b) => (a[0] > b[0] ? a : b));
        this.label([row + 14 * ay, column, row, column], `truth: ${name}`, TRUTH);
      }
    }
    for (const [number, { box }] of state.patches ? image.patches.entries() : []) {
      this.line("patch", rectangle(box), "#fff", "solid", 1.2);
      this.label(box, `P${number + 1}`, "#fff");
    }
    for (const { row, column, semi_rows: tall, semi_columns: wide } of exam.ellipses.filter(({ image_id }) => image_id === image.id)) {
      this.line("ellipse", `M${column - wide} ${row}a${wide} ${tall} 0 1 0 ${2 * wide} 0a${wide} ${tall} 0 1 0 ${-2 * wide} 0`, "#7CFC98", "solid", 2);
    }
    this.drawBar();
  }

  line(kind, d, colour, style, wide = 1.6) {
    const both = { d, fill: "none", "vector-effect": "non-scaling-stroke" };
    svg("path", { ...both, stroke: "#000", "stroke-width": wide + 1.6, "stroke-opacity": 0.55 }, this.onFile);
    svg("path", { ...both, stroke: colour, "stroke-width": wide, "stroke-dasharray": DASHES[style], class: kind }, this.onFile);
  }

  /** Words at the upper right corner of a box, or at the upper left one. */
  label([top, left, , right], words, colour, isLeft = false) {
    const { ax, bx, ay, by } = this.place;
    const x = ((isLeft === ax > 0 ? left : right) - bx) / ax;
    const side = (isLeft && x > 40) || x > 0.6 * this.width ? -1 : 1; // so that the words are in the view
    const at = { x: x + 4 * side, y: (top - by) / ay + 4, fill: colour, "text-anchor": side > 0 ? "start" : "end" };
    svg("text", at, this.onScreen).textContent = words;
  }

  drawBar() {
    const perMm = this.scale / (this.image.pixel_mm?.[1] ?? NaN);
    const mm = BAR_MM.find((each) => each * perMm <= this.width / 3);
    this.bar.textContent = mm ? `${mm} mm` : "pixel size unknown";
    this.bar.style.width = mm ? `${mm * perMm}px` : "auto";
  }

  /** Kept until the threshold is another. */
  contour(k) {
    const { threshold } = this.exam.state;
    if (this.contours?.threshold !== threshold) this.contours = { threshold };
    return (this.contours[k] ??= contourPath(this.image.maps, k, threshold));
  }

  listen() {
    const { stage, exam, figure } = this;
    figure.addEventListener("focus", () => (exam.focused = this));
    stage.addEventListener("contextmenu", (event) => event.preventDefault());
    stage.addEventListener("dblclick", () => exam.enlarge(this));
    stage.addEventListener("wheel", (event) => {
      event.preventDefault();
      exam.zoom(this, Math.exp(-event.deltaY / 500), event.offsetX, event.offsetY);
    }, { passive: false });
    let [tool, start, last] = [];
    stage.addEventListener("pointerdown", (event) => {
      figure.focus({ preventScroll: true });
      stage.setPointerCapture(event.pointerId);
      tool = event.button || (exam.state.tool === "ellipse" && this.image.prior) ? "pan" : exam.state.tool;
      [start, last] = [this.fileAt(event), event];
    });
    stage.addEventListener("pointermove", (event) => {
      if (!tool) return;
      const [dx, dy] = [event.clientX - last.clientX, event.clientY - last.clientY];
      if (tool === "window") exam.window(Math.exp(dx / 250), -dy / 500);
      else if (tool === "pan") exam.pan(this, this.isRight ? dx : -dx, -dy);
      else exam.stretch(this.image, start, this.fileAt(event));
      last = event;
    });
    stage.addEventListener("lostpointercapture", () => {
      if (tool === "ellipse") exam.listEllipses();
      tool = null;
    });
  }
}
