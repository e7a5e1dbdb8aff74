"use strict";
// Pixels and maps of a page: packed text -> typed arrays (report/picture.py and report/marks.py say how they are packed).

/** Base64 of zlib-deflated bytes -> the bytes. */
async function inflated(text) {
  const characters = atob(text);
  const packed = new Uint8Array(characters.length);
  for (let i = 0; i < packed.length; i++) packed[i] = characters.charCodeAt(i);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** The bytes of `rows` x `columns` packed pixels -> their values, row by row. */
function pixelsOf(bytes, [rows, columns]) {
  const count = rows * columns;
  if (bytes.length !== 2 * count) throw new Error(`${bytes.length} bytes for ${rows} x ${columns} pixels`);
  const values = new Uint16Array(count);
  for (let i = 0; i < columns; i++) values[i] = bytes[i] | (bytes[count + i] << 8);
  for (let i = columns; i < count; i++) values[i] = values[i - columns] + (bytes[i] | (bytes[count + i] << 8));
  return values;
}

/** Means of 2 x 2 pixels, again and again: what a picture that is shown small is made of. The first one is the image. */
function halved(values, [rows, columns]) {
  const levels = [{ values, rows, columns }];
  while (Math.min(rows, columns) > 64) {
    const { values: fine, columns: wide } = levels.at(-1);
    [rows, columns] = [rows >> 1, columns >> 1];
    const coarse = new Uint16Array(rows * columns);
    for (let row = 0, i = 0; row < rows; row++) {
      for (let j = 2 * row * wide, end = i + columns; i < end; i++, j += 2) {
        coarse[i] = (fine[j] + fine[j + 1] + fine[j + wide] + fine[j + wide + 1] + 2) >> 2;
      }
    }
    levels.push({ values: coarse, rows, columns });
  }
  return levels;
}
