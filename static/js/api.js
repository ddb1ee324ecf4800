/**
 * Ringback over HTTP: JSON both ways, the XSRF header on every state change, and errors (RFC 9457) as exceptions.
 *
 * @typedef {import("./types.js").Call} Call
 * @typedef {import("./types.js").HistoryItem} HistoryItem
 * @typedef {import("./types.js").MediaKind} MediaKind
 * @typedef {import("./types.js").Found} Found
 * @typedef {import("./types.js").Relation} Relation
 * @typedef {import("./types.js").IceConfig} IceConfig
 * @typedef {import("./types.js").Profile} Profile
 * @typedef {import("./types.js").Device} Device
 */

/** Longer than the server's own deadlines, so that its answer comes first. */
const DEADLINE_MS = 10_000;

/** What an API call rejects with. */
export class ApiError extends Error {
  name = "ApiError";

  /**
   * @param {object} problem
   * @param {number} problem.status 0 if nothing was heard from the server
   * @param {string} problem.code stable, snake_case; `network` is our own
   * @param {string} problem.detail
   * @param {Record<string, string>} [problem.errors] field → what is wrong with it
   * @param {number} [problem.retryAfterMs]
   */
  constructor({ status, code, detail, errors = {}, retryAfterMs }) {
    super(detail);
    this.status = status;
    this.code = code;
    this.errors = errors;
    this.retryAfterMs = retryAfterMs;
  }
}

export class Api {
  #prefix;

  /** @param {string} prefix "/api/v1" */
  constructor(prefix) {
    this.#prefix = prefix;
  }

  /** @returns {Promise<string>} a token for one socket, to be used once */
  async wsToken() {
    return (await this.#send("POST", "/auth/ws-token")).ws_token;
  }

  /**
   * @param {string} query part of a name; empty for everybody
   * @param {AbortSignal} [signal]
   * @returns {Promise<{items: Found[], next: string | null}>}
   */
  users(query, signal) {
    return this.#send("GET", `/users?q=${encodeURIComponent(query)}`, undefined, { signal });
  }

  /**
   * @param {string} username
   * @param {MediaKind} media
   * @returns {Promise<Call>}
   */
  startCall(username, media) {
    const body = { callees: [username], media, client_key: crypto.randomUUID() };
    return this.#send("POST", "/calls", body);
  }

  /** @param {string} callId @returns {Promise<Call>} */
  call(callId) {
    return this.#send("GET", `/calls/${callId}`);
  }

  /** @param {string} callId @returns {Promise<Call>} */
  cancel(callId) {
    return this.#send("POST", `/calls/${callId}/cancel`);
  }

  /** @param {string} callId @returns {Promise<Call>} */
  hangup(callId) {
    return this.#send("POST", `/calls/${callId}/hangup`);
  }

  /** Missed calls are news no longer. */
  async markCallsSeen() {
    await this.#send("POST", "/calls/seen");
  }

  /** @returns {Promise<IceConfig>} */
  iceServers() {
    return this.#send("GET", "/ice-servers");
  }

  /** @param {string} username @returns {Promise<Relation>} asked, or a contact where they had asked before */
  addContact(username) {
    return this.#send("POST", "/contacts", { username });
  }

  /** @param {string} userId @returns {Promise<Relation>} */
  acceptContact(userId) {
    return this.#send("POST", `/contacts/${userId}/accept`);
  }

  /** @param {string} userId */
  async declineContact(userId) {
    await this.#send("POST", `/contacts/${userId}/decline`);
  }

  /** @param {string} userId */
  async removeContact(userId) {
    await this.#send("DELETE", `/contacts/${userId}`);
  }

  /** @param {string} userId @param {boolean} wanted @returns {Promise<Relation>} */
  setFavourite(userId, wanted) {
    return this.#send(wanted ? "PUT" : "DELETE", `/contacts/${userId}/favourite`);
  }

  /** @param {string} userId @param {boolean} wanted @returns {Promise<Relation>} */
  setBlocked(userId, wanted) {
    return this.#send(wanted ? "PUT" : "DELETE", `/contacts/${userId}/block`);
  }

  /** @returns {Promise<Profile>} */
  profile() {
    return this.#send("GET", "/users/me");
  }

  /**
   * One page of the own history, newest first.
   *
   * @param {{kind?: string, text?: string, before?: string | null}} wanted
   * @param {AbortSignal} [signal]
   * @returns {Promise<{items: HistoryItem[], next: string | null, unread: number}>}
   */
  history({ kind = "all", text = "", before = null }, signal) {
    const query = new URLSearchParams({ filter: kind });
    if (text) query.set("q", text);
    if (before) query.set("before", before);
    return this.#send("GET", `/calls?${query}`, undefined, { signal });
  }

  /**
   * @param {string} until the newest call that was shown
   * @returns {Promise<{missed: number}>} how many missed calls are unread still
   */
  markSeen(until) {
    return this.#send("POST", "/calls/seen", { until });
  }

  /** @param {string} callId taken out of the own history, also if the page is left meanwhile */
  async forgetCall(callId) {
    await this.#send("DELETE", `/calls/${callId}`, undefined, { keepalive: true });
  }

  /** @param {string} until the newest call that was shown */
  async forgetCalls(until) {
    await this.#send("DELETE", `/calls?until=${until}`);
  }

  /**
   * @param {Partial<Profile>} changes to one's own profile
   * @returns {Promise<Profile>} as it is then
   */
  changeProfile(changes) {
    return this.#send("PATCH", "/users/me", changes);
  }

  /**
   * @param {string} current
   * @param {string} wanted every other device is signed out
   */
  async changePassword(current, wanted) {
    await this.#send("POST", "/users/me/password", { current_password: current, new_password: wanted });
  }

  /** @returns {Promise<{items: Device[]}>} */
  devices() {
    return this.#send("GET", "/devices");
  }

  /**
   * @param {string} id
   * @param {{label?: string, silenced?: boolean}} changes
   * @returns {Promise<Device>}
   */
  changeDevice(id, changes) {
    return this.#send("PATCH", `/devices/${id}`, changes);
  }

  /** @param {string} id */
  async signOutDevice(id) {
    await this.#send("DELETE", `/devices/${id}`);
  }

  async signOutOtherDevices() {
    await this.#send("DELETE", "/devices");
  }

  /** @returns {Promise<{key: string | null}>} what a browser subscribes with; null: not on this server */
  pushKey() {
    return this.#send("GET", "/push/key");
  }

  /** @param {{endpoint?: string, keys: {p256dh?: string, auth?: string}}} subscription */
  async subscribePush(subscription) {
    await this.#send("POST", "/push/subscriptions", subscription);
  }

  async unsubscribePush() {
    await this.#send("DELETE", "/push/subscriptions");
  }

  async testPush() {
    await this.#send("POST", "/push/test");
  }

  /**
   * @param {string | null} [before] the `next` of the page before
   * @returns {Promise<{items: {user: import("./types.js").User}[], next: string | null}>}
   */
  blocked(before) {
    return this.#send("GET", `/contacts?state=blocked${before ? `&before=${encodeURIComponent(before)}` : ""}`);
  }

  /**
   * @param {"GET" | "POST" | "PATCH" | "PUT" | "DELETE"} method
   * @param {string} path below the prefix
   * @param {object} [body]
   * @param {{signal?: AbortSignal, keepalive?: boolean}} [options] `keepalive`: it is sent even if the page goes
   * @returns {Promise<any>}
   */
  async #send(method, path, body, { signal, keepalive = false } = {}) {
    const deadline = AbortSignal.timeout(DEADLINE_MS);
    /** @type {Record<string, string>} */
    const headers = { Accept: "application/json" };
    if (method !== "GET") {
      headers["Content-Type"] = "application/json";
      headers["X-XSRFToken"] = cookie("_xsrf");
    }
    let response;
    try {
      response = await fetch(this.#prefix + path, {
        method,
        headers,
        body: method === "GET" ? undefined : JSON.stringify(body ?? {}),
        signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
        cache: "no-store",
        keepalive,
      });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new ApiError({ status: 0, code: "network", detail: "the server could not be reached" });
    }
    const answer = response.status === 204 ? null : await response.json().catch(() => null);
    if (!response.ok) throw problemOf(response, answer);
    return answer;
  }
}

/**
 * @param {Response} response
 * @param {any} answer the problem document, or null if there was none
 */
function problemOf(response, answer) {
  const retryAfterS = Number(response.headers.get("Retry-After"));
  return new ApiError({
    status: response.status,
    code: answer?.code ?? "error",
    detail: answer?.detail ?? response.statusText,
    errors: answer?.errors,
    retryAfterMs: retryAfterS > 0 ? retryAfterS * 1000 : undefined,
  });
}

/**
 * @param {string} name
 * @returns {string} empty if there is none
 */
function cookie(name) {
  const found = document.cookie.split("; ").find((pair) => pair.startsWith(`${name}=`));
  return found ? decodeURIComponent(found.slice(name.length + 1)) : "";
}
