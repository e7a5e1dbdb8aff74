// The views of an exam: where each image lies in its canvas, what is drawn on it, and what the pointer does with it.

const SVG = "http://www.w3.org/2000/svg";
const DASHES = { solid: "", dashed: "7 5", dotted: "2 4" };
const BAR_MM = [100, 50, 20, 10, 5, 2, 1, 0.5, 0.2];
const MOST_ZOOM = 40;
const START = { zoom: 1, out: 0, down: 0 };
const TRUTH = "#8fd694";

function svg(name, attributes, parent) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  parent?.append(made);
  return made;
}

/**
 * One image. Places are in pixels of its file. On the screen, "out" counts from the chest wall outwards, so that all views move
 * alike: `position` is {zoom, out, down}, of which `out` and `down` are screen pixels by which the image is moved.
 */
class View {
  /** Scripts take over from the still picture and outlines of the template. */
  constructor(image, figure, exam) {
    Object.assign(this, { image, figure, exam, position: START });
    this.stage = figure.querySelector(".stage");
    this.canvas = figure.querySelector("canvas");
    this.marks = figure.querySelector("svg");
    this.marks.replaceChildren();
    this.marks.removeAttribute("class");
    this.marks.removeAttribute("preserveAspectRatio");
    this.onFile = svg("g", {}, this.marks); // in pixels of the file
    this.onScreen = svg("g", {}, this.marks);
    image.picture = figure.querySelector("img");
    this.ready = false;
    figure.classList.add("live");
  }

  get width() { return this.stage.clientWidth; }
  get height() { return this.stage.clientHeight; }

  /** Screen pixels for one pixel of the file. `unit`: those for a millimetre, or for a pixel where no size is known. */
  get scale() { return this.exam.unit * (this.exam.inMm ? this.image.pixel_mm[0] : 1) * this.position.zoom; }

  /** Column = ax x + bx, row = ay y + by of screen pixels x, y. */
  get place() {
    const { image, scale, width, height } = this;
    const position = this.within(this.position);
    const [rows, columns] = image.shape;
    const flip = image.column === 0 ? -1 : 1; // out is to the left of the right breast
    const edge = image.column === 0 ? width : 0;
    const toFile = image.points_right ? 1 : -1;
    const wall = image.points_right ? 0 : columns;
    return {
      ax: (toFile * flip) / scale,
      bx: wall + toFile * ((position.out - flip * edge) / scale),
      ay: 1 / scale,
      by: rows / 2 + (position.down - height / 2) / scale,
    };
  }

  /** The nearest position in which the middle of the view is on the image, or the image hangs at its wall. */
  within({ zoom, out, down }) {
    const scale = (this.scale / this.position.zoom) * zoom;
    const [rows, columns] = this.image.shape.map((size) => size * scale);
    const between = (value, least, most) => Math.min(most, Math.max(least, value));
    return {
      zoom,
      out: between(out, -this.width / 2, Math.max(0, columns - this.width / 2)),
      down: between(down, -rows / 2, rows / 2),
    };
  }

  toScreen([row, column]) {
    const { ax, bx, ay, by } = this.place;
    return [(column - bx) / ax, (row - by) / ay];
  }

  toFile([x, y]) {
    const { ax, bx, ay, by } = this.place;
    return [ay * y + by, ax * x + bx];
  }

  /** How far from the inner edge and the middle a point of the screen is. */
  outward([x, y]) { return [this.image.column === 0 ? this.width - x : x, y - this.height / 2]; }

  pointOf(event) {
    const box = this.stage.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  }

  /** The position in which a place of the file is in the middle. */
  positionOf([row, column], zoom) {
    const scale = (this.scale / this.position.zoom) * zoom;
    const out = this.image.points_right ? column : this.image.shape[1] - column;
    return { zoom, out: out * scale - this.width / 2, down: (row - this.image.shape[0] / 2) * scale };
  }

  shown() {
    const { image, exam } = this;
    const [low, high] = image.shown;
    const wide = (high - low) * exam.state.width;
    const middle = (low + high) / 2 + (high - low) * exam.state.level;
    return exam.state.invert ? [middle + wide / 2, middle - wide / 2] : [middle - wide / 2, middle + wide / 2];
  }

  draw() {
    const { canvas, image, exam, width, height } = this;
    if (!this.ready || !width) return;
    const density = window.devicePixelRatio || 1;
    const [columns, rows] = [Math.round(width * density), Math.round(height * density)];
    if (canvas.width !== columns) canvas.width = columns;
    if (canvas.height !== rows) canvas.height = rows;
    const { ax, bx, ay, by } = this.place;
    const opacities = exam.classes.map((_, k) =>
      exam.state.map === "colour" && exam.isShown(k) ? exam.state.opacity : 0);
    const look = { shown: this.shown(), opacities, threshold: exam.state.threshold };
    exam.painter.draw(image, canvas, { ax: ax / density, bx, ay: ay / density, by }, look);
    this.drawMarks();
  }

  drawMarks() {
    const { marks, onFile, onScreen, exam, image, width, height } = this;
    const { state } = exam;
    marks.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const { ax, bx, ay, by } = this.place;
    onFile.setAttribute("transform", `matrix(${1 / ax} 0 0 ${1 / ay} ${-bx / ax} ${-by / ay})`);
    onFile.replaceChildren();
    onScreen.replaceChildren();
    const line = (d, colour, style, wide = 1.6, kind = "") => {
      const dashes = DASHES[style] ? { "stroke-dasharray": DASHES[style] } : {};
      const both = { d, fill: "none", "vector-effect": "non-scaling-stroke" };
      svg("path", { ...both, stroke: "#000", "stroke-width": wide + 1.6, "stroke-opacity": 0.55 }, onFile);
      svg("path", { ...both, ...dashes, stroke: colour, "stroke-width": wide, class: kind }, onFile);
    };
    exam.classes.forEach((each, k) => {
      if (!exam.isShown(k)) return;
      if (state.map === "contour") line(this.contour(k, state.threshold), each.colour, each.line, 1.6, "contour");
    });
    if (state.findings) {
      for (const finding of image.findings.filter((each) => exam.isListed(each))) {
        const { colour, line: style } = exam.classOf(finding.label);
        const chosen = finding === exam.chosen;
        line(finding.path, chosen ? "#fff" : colour, style, chosen ? 2.4 : 1.4, "finding");
        const [top, ...sides] = finding.box ?? [...finding.peak, 0, finding.peak[1]];
        const isFirst = finding.label === exam.classes[0].name; // two classes often point at the same place
        this.label([top, isFirst === ax > 0 ? sides[0] : sides[2]], finding.rank, colour, isFirst);
      }
    }
    if (state.patches) {
      image.patches.forEach(({ box: [top, left, bottom, right] }, number) => {
        line(`M${left} ${top}H${right}V${bottom}H${left}Z`, "#fff", "solid", 1.2, "patch");
        this.label([top, ax < 0 ? right : left], `P${number + 1}`, "#fff");
      });
    }
    for (const each of state.truth ? exam.classes.filter((_, k) => exam.isShown(k)) : []) {
      for (const outline of image.outlines[each.name] ?? []) {
        line(`M${outline.map(([row, column]) => `${column} ${row}`).join("L")}Z`, TRUTH, each.line, 2, "truth");
        const [row, column] = outline.reduce((a, b) => (a[0] > b[0] ? a : b));
        this.label([row + 14 * Math.abs(ay), column], `truth: ${each.name}`, TRUTH);
      }
    }
    for (const each of exam.ellipses.filter(({ image_id }) => image_id === image.id)) {
      const { row, column, semi_rows: tall, semi_columns: wide } = each;
      line(`M${column - wide} ${row}a${wide} ${tall} 0 1 0 ${2 * wide} 0a${wide} ${tall} 0 1 0 ${-2 * wide} 0`, "#7CFC98", "solid", 2, "ellipse");
    }
    this.drawBar();
    this.figure.querySelector(".levels").textContent = exam.painter instanceof PlainPainter ? "8-bit picture"
      : `W ${Math.round(Math.abs(this.shown()[1] - this.shown()[0]))}  L ${Math.round((this.shown()[0] + this.shown()[1]) / 2)}  x${this.position.zoom.toFixed(1)}`;
  }

  /** Words right of a place, or left of it. */
  label(place, words, colour, isLeft = false) {
    const [x, y] = this.toScreen(place);
    const side = (isLeft && x > 40) || x > 0.75 * this.width ? -1 : 1; // so that the words are in the view
    this.words({ x: x + 4 * side, y: y + 4, fill: colour, "text-anchor": side > 0 ? "start" : "end" }, words);
  }

  words(attributes, text) {
    const halo = { stroke: "#000", "stroke-width": 3, "paint-order": "stroke" };
    svg("text", { ...halo, ...attributes }, this.onScreen).textContent = text;
  }

  drawBar() {
    const { image, width, height } = this;
    const x = image.column === 0 ? 12 : width - 12;
    const flip = image.column === 0 ? 1 : -1;
    const at = { x, y: height - 18, fill: "#e8edf2", "text-anchor": flip > 0 ? "start" : "end" };
    if (!image.pixel_mm) return this.words(at, "pixel size unknown");
    const perMm = 1 / Math.abs(this.place.ax) / image.pixel_mm[1];
    const mm = BAR_MM.find((each) => each * perMm <= width / 3) ?? BAR_MM[BAR_MM.length - 1];
    svg("path", { d: `M${x} ${height - 12}h${flip * mm * perMm}m0 -4v8M${x} ${height - 16}v8`, stroke: "#e8edf2", "stroke-width": 1.5, fill: "none" }, this.onScreen);
    this.words(at, `${mm} mm`);
  }

  /** Kept until the threshold is another. */
  contour(k, threshold) {
    if (this.contoursAt !== threshold) [this.contoursAt, this.contours] = [threshold, {}];
    return (this.contours[k] ??= contourPath(this.image.maps, k, threshold));
  }

  listen() {
    const { stage, exam } = this;
    stage.addEventListener("contextmenu", (event) => event.preventDefault());
    stage.addEventListener("wheel", (event) => {
      event.preventDefault();
      exam.zoom(this, Math.exp(-event.deltaY / 500), this.pointOf(event));
    }, { passive: false });
    stage.addEventListener("pointerdown", (event) => {
      this.figure.focus({ preventScroll: true });
      stage.setPointerCapture(event.pointerId);
      const tool = event.button ? "pan" : exam.state.tool;
      const start = this.toFile(this.pointOf(event));
      let last = [event.clientX, event.clientY];
      const move = (moved) => {
        const [dx, dy] = [moved.clientX - last[0], moved.clientY - last[1]];
        last = [moved.clientX, moved.clientY];
        if (tool === "window") exam.window(Math.exp(dx / 250), -dy / 500);
        else if (tool === "pan") exam.pan(this, this.image.column === 0 ? dx : -dx, -dy);
        else exam.stretch(this.image, start, this.toFile(this.pointOf(moved)));
      };
      const end = () => {
        stage.removeEventListener("pointermove", move);
        if (tool === "ellipse") exam.keepEllipse();
      };
      stage.addEventListener("pointermove", move);
      stage.addEventListener("lostpointercapture", end, { once: true });
    });
    stage.addEventListener("dblclick", () => exam.enlarge(this));
  }
}
