/**
 * Where the page of a call is.
 *
 * @typedef {import("../types.js").Call} Call
 * @typedef {import("../types.js").MediaKind} MediaKind
 */

/** Behind the address: without the camera, also after a reload. */
export const WITHOUT_CAMERA = "#audio";

/**
 * @param {Call & {merged?: boolean}} call what came of dialling
 * @param {MediaKind} media what was dialled; where it became the other's call of another kind, nobody is shown unasked
 * @returns {string} a path
 */
export function addressOf({ call_id, merged, media: theirs }, media) {
  return `/call/${call_id}${merged && theirs !== media ? WITHOUT_CAMERA : ""}`;
}
