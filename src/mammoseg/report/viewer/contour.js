// Lines of equal saliency around the cells of a map (marching squares, linear between the middles of cells).

// For each of the 16 patterns of four corners above the level, the sides that a line crosses: 0 top, 1 right, 2 bottom, 3 left.
const CROSSED = [
  [], [3, 0], [0, 1], [3, 1], [1, 2], [3, 0, 1, 2], [0, 2], [3, 2],
  [2, 3], [2, 0], [0, 1, 2, 3], [2, 1], [1, 3], [1, 0], [0, 3], [],
];

/**
 * The path (for an SVG whose x is the column and y the row of the image) where a map is at `level`.
 * `map` has `data`, `shape` [classes, rows, columns], `scale` and `to_cell`, as report/marks.py writes them.
 */
function contourPath(map, index, level) {
  const [, rows, columns] = map.shape;
  const start = index * rows * columns;
  const limit = (level / map.scale[index]) * 255;
  if (limit > 255) return "";
  const at = (row, column) =>
    row < 0 || column < 0 || row >= rows || column >= columns ? 0 : map.data[start + row * columns + column];
  const [down, top, across, left] = map.to_cell;
  const share = (a, b) => (a === b ? 0.5 : (limit - a) / (b - a));
  const segments = new Map();
  for (let row = -1; row < rows; row++) {
    let [nw, sw] = [0, 0];
    for (let column = -1; column < columns; column++) {
      const [ne, se] = [at(row, column + 1), at(row + 1, column + 1)];
      const pattern = (nw >= limit) | ((ne >= limit) << 1) | ((se >= limit) << 2) | ((sw >= limit) << 3);
      if (pattern % 15) {
        const crossings = [
          () => [row, column + share(nw, ne)], () => [row + share(ne, se), column + 1],
          () => [row + 1, column + share(sw, se)], () => [row + share(nw, sw), column],
        ];
        // A side of a square is named by the square above or left of it, so that neighbours call it the same.
        const names = [`h${row},${column}`, `v${row},${column + 1}`, `h${row + 1},${column}`, `v${row},${column}`];
        const sides = CROSSED[pattern];
        for (let i = 0; i < sides.length; i += 2) {
          segments.set(names[sides[i]], { to: names[sides[i + 1]], point: crossings[sides[i]]() });
        }
      }
      [nw, sw] = [ne, se];
    }
  }
  return closedLines(segments, ([row, column]) => {
    const [y, x] = [(row + 0.5 - top) / down, (column + 0.5 - left) / across];
    return `${x.toFixed(1)} ${y.toFixed(1)}`;
  });
}

/** Segments that begin where others end -> "M...L...Z" of each closed line. */
function closedLines(segments, written) {
  let path = "";
  while (segments.size) {
    let [name] = segments.keys();
    const points = [];
    while (segments.has(name)) {
      const { to, point } = segments.get(name);
      segments.delete(name);
      points.push(written(point));
      name = to;
    }
    path += `M${points.join("L")}Z`;
  }
  return path;
}
