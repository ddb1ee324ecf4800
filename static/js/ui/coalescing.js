/**
 * One look at a time, however often one is asked for.
 *
 * @param {(overtaken: () => boolean) => Promise<void>} look asks `overtaken` before it shows what it got: if another look
 *   was asked for meanwhile, that is old already, and the next one is on its way
 * @param {number} pauseMs how long a look waits for others that are asked for together with it
 * @returns {() => void} asks for a look
 */
export function coalesced(look, pauseMs) {
  let asked = 0;
  let waiting = false;

  async function run() {
    const mine = asked;
    await look(() => asked !== mine).catch(() => {}); // the next one that is asked for brings it
    waiting = false;
    if (asked !== mine) wait();
  }

  function wait() {
    if (waiting) return;
    waiting = true;
    setTimeout(run, pauseMs);
  }

  return () => {
    asked += 1;
    wait();
  };
}
