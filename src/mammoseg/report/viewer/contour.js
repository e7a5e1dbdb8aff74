// Lines of equal saliency around the cells of a map (marching squares, linear between the middles of cells).

// The middles of the sides of a square, as (row, column) from its upper left corner: 0 top, 1 right, 2 bottom, 3 left.
const SIDES = [[0, 0.5], [0.5, 1], [1, 0.5], [0.5, 0]];
// For each of the 16 patterns of corners above the level, the sides from and to which lines go.
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
  const limit = (level / map.scale[index]) * 255;
  if (limit > 255) return "";
  const at = (row, column) =>
    row < 0 || column < 0 || row >= rows || column >= columns ? 0 : map.data[(index * rows + row) * columns + column];
  const next = new Map(); // side of a square -> the side to which the line goes on
  for (let row = -1; row < rows; row++) {
    for (let column = -1; column < columns; column++) {
      const above = (down, across) => at(row + down, column + across) >= limit;
      const names = CROSSED[above(0, 0) | (above(0, 1) << 1) | (above(1, 1) << 2) | (above(1, 0) << 3)]
        .map((side) => `${row + SIDES[side][0]} ${column + SIDES[side][1]}`);
      for (let i = 0; i < names.length; i += 2) next.set(names[i], names[i + 1]);
    }
  }
  const [down, top, across, left] = map.to_cell;
  const written = (name) => {
    let [row, column] = name.split(" ").map(Number);
    const [a, b] = [at(Math.floor(row), Math.floor(column)), at(Math.ceil(row), Math.ceil(column))];
    const share = (limit - a) / (b - a);
    if (row % 1) row = Math.floor(row) + share;
    else column = Math.floor(column) + share;
    return `${((column + 0.5 - left) / across).toFixed(1)} ${((row + 0.5 - top) / down).toFixed(1)}`;
  };
  let path = "";
  while (next.size) {
    const points = [];
    for (let [name] = next.keys(), to; (to = next.get(name)); name = to) {
      next.delete(name);
      points.push(written(name));
    }
    path += `M${points.join("L")}Z`;
  }
  return path;
}
