/** What we ask of the other side's sending, written into a description before it goes there. Pure. */

/**
 * @param {string} sdp of ours
 * @param {object} [wishes]
 * @param {number | null} [wishes.videoBitsPerS] the most that each picture may take; null: as much as it likes
 * @returns {string} the same, for the other side
 */
export function asking(sdp, { videoBitsPerS = null } = {}) {
  return sdp
    .split(/(?=^m=)/m)
    .map((section) => {
      if (section.startsWith("m=audio")) return withOpus(section);
      return section.startsWith("m=video") && videoBitsPerS !== null ? withBandwidth(section, videoBitsPerS) : section;
    })
    .join("");
}

/**
 * Of Opus, where it is offered: forward error correction, so that single lost packets are not heard; and nothing but a
 * sign of life while nobody speaks (RFC 7587, 6.1: `useinbandfec`, `usedtx`).
 *
 * @param {string} section
 */
function withOpus(section) {
  const payload = section.match(/^a=rtpmap:(\d+) opus\/48000\/2\r?$/im)?.[1];
  if (!payload) return section;
  const line = new RegExp(`^a=fmtp:${payload} (.*?)(\r?)$`, "m");
  if (!line.test(section)) {
    return section.replace(new RegExp(`^(a=rtpmap:${payload} .*?)(\r?)$`, "m"), `$1$2\n${fmtp(payload, "")}$2`);
  }
  return section.replace(line, (_whole, given, end) => fmtp(payload, given) + end);
}

/**
 * @param {string} payload
 * @param {string} given
 */
function fmtp(payload, given) {
  const parameters = new Map(given.split(";").flatMap((each) => (each.trim() ? [pairOf(each.trim())] : [])));
  parameters.set("useinbandfec", "1").set("usedtx", "1");
  const written = [...parameters].map(([name, value]) => (value === null ? name : `${name}=${value}`));
  return `a=fmtp:${payload} ${written.join(";")}`;
}

/**
 * @param {string} parameter
 * @returns {[string, string | null]}
 */
function pairOf(parameter) {
  const at = parameter.indexOf("=");
  return at === -1 ? [parameter, null] : [parameter.slice(0, at), parameter.slice(at + 1)];
}

/**
 * Behind the line with the address, where RFC 8866 wants it. Firefox goes by TIAS (RFC 3890), Chromium and Safari by AS.
 *
 * @param {string} section
 * @param {number} bitsPerS
 */
function withBandwidth(section, bitsPerS) {
  const without = section.replace(/^b=(AS|TIAS):.*\r?\n/gm, "");
  return without.replace(/^(c=.*?)(\r?\n)/m, `$1$2b=AS:${Math.ceil(bitsPerS / 1000)}$2b=TIAS:${bitsPerS}$2`);
}
