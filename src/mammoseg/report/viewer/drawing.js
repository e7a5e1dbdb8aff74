// Images on canvases: with WebGL2 all 16 bits through a window, and maps as colour; without it the 8-bit picture.

const VERTEX = `#version 300 es
void main() {
  gl_Position = vec4(vec2(gl_VertexID == 1 ? 3 : -1, gl_VertexID == 2 ? 3 : -1), 0, 1);
}`;

const fragment = (classes) => `#version 300 es
precision highp float;
precision highp int;
precision highp usampler2D;
precision highp sampler2DArray;
uniform usampler2D image;
uniform sampler2DArray maps;
uniform vec4 to_image;        // x, y of the file = to_image.xz * fragment + to_image.yw
uniform vec2 size;            // of the file
uniform float factor;         // pixels of the file in one of the texture
uniform int detail;           // which of the halved images
uniform vec2 shown;           // values of black and white
uniform vec4 to_cell;         // as in report/marks.py
uniform vec2 cells;
uniform float scale[${Math.max(classes.length, 1)}];
uniform vec3 colour[${Math.max(classes.length, 1)}];
uniform float opacity[${Math.max(classes.length, 1)}];
uniform float threshold;
out vec4 seen;

float value(ivec2 place, ivec2 last) { return float(texelFetch(image, clamp(place, ivec2(0), last), detail).r); }

void main() {
  vec2 place = to_image.xz * gl_FragCoord.xy + to_image.yw;
  if (any(lessThan(place, vec2(0))) || any(greaterThanEqual(place, size))) { seen = vec4(0, 0, 0, 1); return; }
  vec2 middle = place / (factor * float(1 << detail)) - 0.5;
  ivec2 corner = ivec2(floor(middle)), last = textureSize(image, detail) - 1;
  vec2 share = middle - vec2(corner);
  float above = mix(value(corner, last), value(corner + ivec2(1, 0), last), share.x);
  float below = mix(value(corner + ivec2(0, 1), last), value(corner + ivec2(1, 1), last), share.x);
  vec3 gray = vec3(clamp((mix(above, below, share.y) - shown.x) / (shown.y - shown.x), 0.0, 1.0));
  vec2 cell = (to_cell.zx * place + to_cell.wy) / cells;
  if (all(greaterThan(cell, vec2(0))) && all(lessThan(cell, vec2(1)))) {
    for (int k = 0; k < ${classes.length}; k++) {
      float level = texture(maps, vec3(cell, float(k))).r * scale[k];
      float strength = level < threshold ? 0.0 : 0.25 + 0.75 * (level - threshold) / max(1.0 - threshold, 0.001);
      gray = mix(gray, colour[k], opacity[k] * strength);
    }
  }
  seen = vec4(gray, 1);
}`;

/** Draws 16-bit images. One context serves all views, since a browser has few; what it draws is copied to their canvases. */
class Painter {
  /** `restored` is called when the graphics card is back. Throws an Error where WebGL2 is missing. */
  constructor(classes, restored) {
    this.classes = classes;
    this.canvas = document.createElement("canvas");
    this.images = [];
    this.gl = this.canvas.getContext("webgl2", { alpha: false, antialias: false });
    if (!this.gl) throw new Error("no WebGL2");
    this._prepare();
    this.canvas.addEventListener("webglcontextlost", (event) => event.preventDefault());
    this.canvas.addEventListener("webglcontextrestored", () => {
      this._prepare();
      for (const image of this.images) this._upload(image);
      restored();
    });
  }

  _prepare() {
    const { gl } = this;
    const program = (this.program = gl.createProgram());
    for (const [kind, text] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, fragment(this.classes)]]) {
      const shader = gl.createShader(kind);
      gl.shaderSource(shader, text);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost()) {
      throw new Error(gl.getProgramInfoLog(program) || "the shader cannot be built");
    }
  }

  /** What is to be unpacked of an image of exam_page.py, which other threads of the browser do. */
  async unpack({ id, maps }) {
    const text = document.querySelector(`[data-pixels="${CSS.escape(id)}"]`).textContent.trim();
    return Promise.all([inflated(maps.data), inflated(text)]);
  }

  /** Take over an image and what was unpacked of it. */
  add(image, [cells, bytes]) {
    image.maps.data = cells;
    image.levels = halved(pixelsOf(bytes, image.packed.shape), image.packed.shape);
    this.images.push(image);
    this._upload(image);
  }

  _upload(image) {
    const { gl } = this;
    const texture = (kind, smaller, larger) => {
      const made = gl.createTexture();
      gl.bindTexture(kind, made);
      const settings = { MIN_FILTER: smaller, MAG_FILTER: larger, WRAP_S: gl.CLAMP_TO_EDGE, WRAP_T: gl.CLAMP_TO_EDGE };
      for (const [name, value] of Object.entries(settings)) gl.texParameteri(kind, gl[`TEXTURE_${name}`], value);
      return made;
    };
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    image.pixelTexture = texture(gl.TEXTURE_2D, gl.NEAREST_MIPMAP_NEAREST, gl.NEAREST);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAX_LEVEL, image.levels.length - 1);
    image.levels.forEach(({ values, rows, columns }, level) =>
      gl.texImage2D(gl.TEXTURE_2D, level, gl.R16UI, columns, rows, 0, gl.RED_INTEGER, gl.UNSIGNED_SHORT, values));
    image.mapTexture = texture(gl.TEXTURE_2D_ARRAY, gl.LINEAR, gl.LINEAR);
    const [classes, rows, columns] = image.maps.shape;
    gl.texImage3D(gl.TEXTURE_2D_ARRAY, 0, gl.R8, columns, rows, classes, 0, gl.RED, gl.UNSIGNED_BYTE, image.maps.data);
  }

  /** Draw an image on a canvas, whose pixels x, y are the column ax x + bx and the row ay y + by. Opacities are of the classes. */
  draw({ shape, packed: { factor }, levels, maps, pixelTexture, mapTexture }, canvas, { ax, bx, ay, by }, look) {
    const { gl, program, classes } = this;
    const { width, height } = canvas;
    for (const side of ["width", "height"]) if (this.canvas[side] < canvas[side]) this.canvas[side] = canvas[side];
    gl.viewport(0, 0, width, height);
    gl.useProgram(program);
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, pixelTexture);
    gl.activeTexture(gl.TEXTURE1);
    gl.bindTexture(gl.TEXTURE_2D_ARRAY, mapTexture);
    const halvings = Math.floor(Math.log2(Math.max(1, Math.abs(ax) / factor)));
    const uniforms = {
      "1i": { image: 0, maps: 1, detail: Math.min(halvings, levels.length - 1) },
      "1f": { factor, threshold: look.threshold, scale: maps.scale, opacity: look.opacities },
      "2f": { size: [shape[1], shape[0]], shown: look.shown, cells: [maps.shape[2], maps.shape[1]] },
      "3f": { colour: classes.flatMap(({ colour }) => [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16) / 255)) },
      "4f": { to_image: [ax, bx, -ay, ay * height + by], to_cell: maps.to_cell }, // rows count from below here
    };
    for (const [kind, values] of Object.entries(uniforms)) {
      for (const [name, value] of Object.entries(values)) {
        const numbers = [value].flat();
        if (numbers.length) gl[`uniform${kind}v`](gl.getUniformLocation(program, name), numbers); // without classes some are empty
      }
    }
    gl.drawArrays(gl.TRIANGLES, 0, 3);
    canvas.getContext("2d").drawImage(this.canvas, 0, this.canvas.height - height, width, height, 0, 0, width, height);
  }
}

/** The same for browsers without WebGL2: the 8-bit picture, which no window changes. */
class PlainPainter {
  async unpack({ maps }) { return inflated(maps.data); }
  add(image, cells) { image.maps.data = cells; }

  draw(image, canvas, { ax, bx, ay, by }) {
    const context = canvas.getContext("2d");
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.setTransform(1 / ax, 0, 0, 1 / ay, -bx / ax, -by / ay);
    context.drawImage(image.picture, 0, 0, image.shape[1], image.shape[0]);
    context.resetTransform();
  }
}
