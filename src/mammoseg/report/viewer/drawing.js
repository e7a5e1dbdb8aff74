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
  /** Throws an Error where WebGL2 is missing. */
  constructor(classes) {
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
      this.restored?.();
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
    this.at = (name) => gl.getUniformLocation(program, name);
  }

  /** `image`: values of exam_page.py with `levels` (pixels.js) and `maps.data`. */
  add(image) {
    this.images.push(image);
    this._upload(image);
  }

  _upload(image) {
    const { gl } = this;
    const texture = (kind, filter) => {
      const made = gl.createTexture();
      gl.bindTexture(kind, made);
      gl.texParameteri(kind, gl.TEXTURE_MIN_FILTER, filter);
      gl.texParameteri(kind, gl.TEXTURE_MAG_FILTER, filter === gl.LINEAR ? gl.LINEAR : gl.NEAREST);
      gl.texParameteri(kind, gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE);
      gl.texParameteri(kind, gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE);
      return made;
    };
    gl.pixelStorei(gl.UNPACK_ALIGNMENT, 1);
    image.pixelTexture = texture(gl.TEXTURE_2D, gl.NEAREST_MIPMAP_NEAREST);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAX_LEVEL, image.levels.length - 1);
    image.levels.forEach(({ values, rows, columns }, level) =>
      gl.texImage2D(gl.TEXTURE_2D, level, gl.R16UI, columns, rows, 0, gl.RED_INTEGER, gl.UNSIGNED_SHORT, values));
    image.mapTexture = texture(gl.TEXTURE_2D_ARRAY, gl.LINEAR);
    const [classes, rows, columns] = image.maps.shape;
    gl.texImage3D(gl.TEXTURE_2D_ARRAY, 0, gl.R8, columns, rows, classes, 0, gl.RED, gl.UNSIGNED_BYTE, image.maps.data);
  }

  /**
   * Draw an image on a canvas. `place`: {ax, bx, ay, by}, column = ax x + bx and row = ay y + by for canvas pixels x, y.
   * `look`: {shown, opacities, threshold}; the opacities are those of the classes.
   */
  draw(image, canvas, place, look) {
    const { gl, at } = this;
    const { width, height } = canvas;
    if (this.canvas.width < width) this.canvas.width = width;
    if (this.canvas.height < height) this.canvas.height = height;
    const { factor } = image.packed;
    const halvings = Math.floor(Math.log2(Math.max(1, Math.abs(place.ax) / factor)));
    gl.viewport(0, 0, width, height);
    gl.useProgram(this.program);
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, image.pixelTexture);
    gl.activeTexture(gl.TEXTURE1);
    gl.bindTexture(gl.TEXTURE_2D_ARRAY, image.mapTexture);
    gl.uniform1i(at("image"), 0);
    gl.uniform1i(at("maps"), 1);
    gl.uniform4f(at("to_image"), place.ax, place.bx, -place.ay, place.ay * height + place.by); // rows count from below here
    gl.uniform2f(at("size"), image.shape[1], image.shape[0]);
    gl.uniform1f(at("factor"), factor);
    gl.uniform1i(at("detail"), Math.min(halvings, image.levels.length - 1));
    gl.uniform2f(at("shown"), ...look.shown);
    gl.uniform4f(at("to_cell"), ...image.maps.to_cell);
    gl.uniform2f(at("cells"), image.maps.shape[2], image.maps.shape[1]);
    if (this.classes.length) {
      gl.uniform1fv(at("scale"), image.maps.scale);
      gl.uniform3fv(at("colour"), this.classes.flatMap(({ colour }) => [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16) / 255)));
      gl.uniform1fv(at("opacity"), look.opacities);
    }
    gl.uniform1f(at("threshold"), look.threshold);
    gl.drawArrays(gl.TRIANGLES, 0, 3);
    canvas.getContext("2d").drawImage(this.canvas, 0, this.canvas.height - height, width, height, 0, 0, width, height);
  }
}

/** The same for browsers without WebGL2: the 8-bit picture, which no window changes. */
class PlainPainter {
  add() {}

  draw(image, canvas, place) {
    const context = canvas.getContext("2d");
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.setTransform(1 / place.ax, 0, 0, 1 / place.ay, -place.bx / place.ax, -place.by / place.ay);
    context.drawImage(image.picture, 0, 0, image.shape[1], image.shape[0]);
    context.resetTransform();
  }
}
