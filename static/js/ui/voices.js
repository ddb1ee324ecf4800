/**
 * The voices of the others: an audio element each, beside their picture. A telephone that is locked, or shows another
 * program, stops pictures and what sounds with them; it lets these go on.
 *
 * @typedef {import("../media/call.js").OtherView} OtherView
 */
export class Voices {
  #root;
  #onSilenced;
  /** @type {Map<string, HTMLAudioElement>} */
  #players = new Map();
  /** Empty: the one that the system uses. */
  #speaker = "";

  /**
   * @param {HTMLElement} root where they stand; nothing of them is seen
   * @param {() => void} onSilenced the browser does not let a voice be heard before a gesture
   */
  constructor(root, onSilenced) {
    this.#root = root;
    this.#onSilenced = onSilenced;
  }

  /** @param {Pick<OtherView, "legId" | "stream">[]} others */
  draw(others) {
    const here = new Set(others.map(({ legId }) => legId));
    for (const [legId, player] of this.#players) {
      if (here.has(legId)) continue;
      player.srcObject = null;
      player.remove();
      this.#players.delete(legId);
    }
    for (const { legId, stream } of others) {
      const player = this.#players.get(legId) ?? this.#add(legId);
      // The page's load event waits for media that a page shows before it; and the way to them may take long, or never be.
      if (!stream || player.srcObject === stream || document.readyState !== "complete") continue;
      player.srcObject = stream;
      this.#start(player);
    }
  }

  /** Plays everything, as a gesture allows, and what the system has stopped meanwhile. */
  play() {
    for (const player of this.#players.values()) if (player.srcObject) this.#start(player);
  }

  /** @param {string | null} speaker null: the one that the system uses */
  speakThrough(speaker) {
    if (this.#speaker === (speaker ?? "")) return;
    this.#speaker = speaker ?? "";
    for (const player of this.#players.values()) this.#route(player);
  }

  /** @param {string} legId */
  #add(legId) {
    const player = document.createElement("audio");
    player.autoplay = true;
    if (this.#speaker) this.#route(player);
    this.#players.set(legId, player);
    this.#root.append(player);
    return player;
  }

  /** @param {HTMLAudioElement} player */
  #start(player) {
    player.play().catch((error) => {
      if (error.name === "NotAllowedError") this.#onSilenced();
    });
  }

  /** @param {HTMLAudioElement} player */
  #route(player) {
    // Pulled out at this moment: the system's own goes on, and the list of devices says so with its next change.
    player.setSinkId?.(this.#speaker).catch((error) => console.debug("the speaker was not taken", error));
  }
}
