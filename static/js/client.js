/**
 * Puts the layers together for a signed-in page: HTTP, the user socket with its inbox, and rooms on demand. Pages get
 * these objects and never see a socket being opened.
 *
 * @typedef {import("./types.js").Boot} Boot
 * @typedef {import("./types.js").Call} Call
 */
import { Api, ApiError } from "./api.js";
import { Dialogue } from "./dialogues/dialogue.js";
import { unsentOf } from "./dialogues/unsent.js";
import { CallSession } from "./media/call.js";
import { LocalMedia } from "./media/devices.js";
import { iceSource } from "./realtime/ice.js";
import { Inbox } from "./realtime/inbox.js";
import { RingbackSocket, TokenRefused } from "./realtime/socket.js";
import { browserWake } from "./ui/wake.js";

export class Client {
  #boot;
  #wake = browserWake();

  /** @param {Boot} boot */
  constructor(boot) {
    this.#boot = boot;
    this.api = new Api(boot.api);
    this.link = this.#socket("/ws/user");
    this.inbox = new Inbox(this.link, boot.user?.id ?? "");
  }

  /**
   * The call of this page, with its room and this person's media; nothing is opened before `start`.
   *
   * @param {Call} call
   * @param {string} legId
   * @param {boolean} camera whether this person wants to be seen, in a call with video
   */
  room(call, legId, camera) {
    const media = new LocalMedia();
    const { api } = this;
    const session = new CallSession({
      socket: this.#socket(`/ws/call/${call.call_id}`),
      media,
      http: {
        load: () => api.call(call.call_id),
        cancel: () => api.cancel(call.call_id),
        hangup: () => api.hangup(call.call_id),
        leave: () => api.leave(call.call_id),
      },
      configuration: iceSource(() => api.iceServers(), this.#boot.ice),
      call,
      legId,
      camera,
      wake: this.#wake,
    });
    return { session, media };
  }

  /** @param {string} sessionId @returns {Dialogue} nothing is opened before `start` */
  dialogue(sessionId) {
    const { api } = this;
    return new Dialogue({
      socket: this.#socket(`/ws/dialogue/${sessionId}`),
      load: (before) => api.dialogue(sessionId, before),
      unsent: unsentOf(sessionId),
    });
  }

  /**
   * The socket of one task: what has happened since the event with that number, then what happens.
   *
   * @param {string} taskId
   * @param {number} after
   */
  taskLink(taskId, after) {
    return this.#socket(`/ws/task/${taskId}?include_history=true&after=${after}`);
  }

  /** @param {string} path below the API's prefix */
  #socket(path) {
    const url = new URL(this.#boot.api + path, location.href);
    url.protocol = url.protocol.replace("http", "ws");
    return new RingbackSocket({ url: url.href, getToken: () => this.#token(), wake: this.#wake });
  }

  async #token() {
    try {
      return await this.api.wsToken();
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) throw new TokenRefused("signed out");
      throw error;
    }
  }
}
