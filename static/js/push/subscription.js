/**
 * Whether this browser rings with its page closed, and what it takes to switch that on.
 *
 * @typedef {import("../api.js").Api} Api
 *
 * @typedef {"on" | "off" | "blocked" | "unsupported" | "insecure" | "home_screen" | "switched_off"} PushState
 *   `blocked` by the person, in the browser; `home_screen`: an iPhone has it only for pages on its home screen;
 *   `switched_off` by whoever runs the server.
 */

const WORKER = "/service-worker.js";

/** The browser's push service gave no subscription: it is away, or this browser is built without one. */
export class NoPushService extends Error {}

export class PushSubscriber {
  #api;

  /** @param {Api} api */
  constructor(api) {
    this.#api = api;
  }

  /** @returns {Promise<PushState>} */
  async state() {
    const lacking = whatIsLacking();
    if (lacking) return lacking;
    const { key } = await this.#api.pushKey();
    if (!key) return "switched_off";
    if (Notification.permission === "denied") return "blocked";
    const subscription = Notification.permission === "granted" ? await current() : null;
    return subscription && keyOf(subscription) === key && (await this.#isKnown()) ? "on" : "off";
  }

  /**
   * Asks the person, then the browser's push service, and tells the server. Only upon a click: browsers want one.
   *
   * @returns {Promise<PushState>} `on`, `blocked`, or `off` if the person did not decide
   * @throws {NoPushService}
   * @throws {import("../api.js").ApiError}
   */
  async switchOn() {
    const permission = await Notification.requestPermission();
    if (permission !== "granted") return permission === "denied" ? "blocked" : "off";
    const { key } = await this.#api.pushKey();
    if (!key) return "switched_off";
    await this.#subscribe(key);
    return "on";
  }

  /** @returns {Promise<PushState>} */
  async switchOff() {
    await this.#api.unsubscribePush();
    await (await current())?.unsubscribe();
    return "off";
  }

  /**
   * With each page: a browser that was switched on stays so, whoever signs in, and whatever became of the server's key.
   */
  async keepUp() {
    if (whatIsLacking() || Notification.permission !== "granted" || !(await current())) return;
    await navigator.serviceWorker.register(WORKER); // the browser looks whether there is a newer one
    if ((await this.state()) !== "off") return;
    const { key } = await this.#api.pushKey();
    if (key) await this.#subscribe(key);
  }

  async #isKnown() {
    const { items } = await this.#api.devices();
    return items.some(({ current, push }) => current && push);
  }

  /** @param {string} key of the server, in base64url */
  async #subscribe(key) {
    await navigator.serviceWorker.register(WORKER);
    const { pushManager } = await navigator.serviceWorker.ready;
    let subscription = await pushManager.getSubscription();
    if (subscription && keyOf(subscription) !== key) {
      await subscription.unsubscribe();
      subscription = null;
    }
    try {
      subscription ??= await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
    } catch (error) {
      throw new NoPushService(String(error));
    }
    const { endpoint, keys } = subscription.toJSON();
    await this.#api.subscribePush({ endpoint, keys: { p256dh: keys?.p256dh, auth: keys?.auth } });
  }
}

/** @returns {PushState | null} what this browser lacks, whatever the person wants */
function whatIsLacking() {
  if (!window.isSecureContext) return "insecure";
  if ("serviceWorker" in navigator && "PushManager" in window && "Notification" in window) return null;
  return isAppleTouch() ? "home_screen" : "unsupported";
}

/** An iPad says that it is a Mac, which has no touch screen. */
function isAppleTouch() {
  return /iPhone|iPad|iPod/.test(navigator.userAgent) || (/Macintosh/.test(navigator.userAgent) && navigator.maxTouchPoints > 1);
}

/** @returns {Promise<PushSubscription | null>} */
async function current() {
  const registration = await navigator.serviceWorker.getRegistration();
  return (await registration?.pushManager.getSubscription()) ?? null;
}

/**
 * @param {PushSubscription} subscription
 * @returns {string} the server's key that it was made for, in base64url
 */
function keyOf(subscription) {
  const bytes = new Uint8Array(subscription.options.applicationServerKey ?? new ArrayBuffer(0));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
