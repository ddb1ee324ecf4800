/** How many tiles stand beside each other, so that all of them are as large as can be. Pure. */

/** What may be cut off a camera's picture (16:9) at its sides, and a face is still in the middle of it. */
const RATIO = 4 / 3;

/**
 * @param {number} count of tiles, at least 1
 * @param {number} width of the place for them
 * @param {number} height
 * @returns {number} columns
 */
export function bestColumns(count, width, height) {
  let best = { columns: 1, area: 0 };
  for (let columns = 1; columns <= count; columns += 1) {
    const rows = Math.ceil(count / columns);
    const tileWidth = Math.min(width / columns, (height / rows) * RATIO);
    const area = tileWidth * (tileWidth / RATIO);
    if (area > best.area * 1.001) best = { columns, area };
  }
  return best.columns;
}
