/**
 * Ringback over HTTP: JSON both ways, the XSRF header on every state change, and errors (RFC 9457) as exceptions.
 *
 * @typedef {import("./types.js").Call} Call
 * @typedef {import("./types.js").HistoryItem} HistoryItem
 * @typedef {import("./types.js").MediaKind} MediaKind
 * @typedef {import("./types.js").Found} Found
 * @typedef {import("./types.js").Relation} Relation
 * @typedef {import("./types.js").IceConfig} IceConfig
 * @typedef {import("./types.js").Voicemail} Voicemail
 * @typedef {import("./types.js").Recording} CallRecording
 * @typedef {import("./media/recorder.js").Recording} Recording
 * @typedef {import("./types.js").Profile} Profile
 * @typedef {import("./types.js").Device} Device
 * @typedef {import("./types.js").Roadmap} Roadmap
 * @typedef {import("./types.js").DataExport} DataExport
 * @typedef {import("./types.js").Book} Book
 * @typedef {import("./types.js").Dialogue} Dialogue
 * @typedef {import("./types.js").DialogueMessage} DialogueMessage
 * @typedef {import("./types.js").Task} Task
 * @typedef {import("./types.js").TaskEvent} TaskEvent
 */

/** Longer than the server's own deadlines, so that its answer comes first. */
const DEADLINE_MS = 10_000;
/** As long as the server waits for a recording from a slow network. */
const UPLOAD_DEADLINE_MS = 120_000;
const RECORDING_DEADLINE_MS = 3 * 3_600_000;

/** As much as getRandomValues gives at once. */
const UPLOAD_PIECE_BYTES = 65_536;

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

  /** @param {string} callId @returns {Promise<import("./types.js").LegQuality[]>} what its participants have measured */
  async quality(callId) {
    return (await this.#send("GET", `/calls/${callId}/quality`)).legs;
  }

  /**
   * @param {string} callId
   * @param {string | null} before the `next` of an earlier page
   * @returns {Promise<{items: import("./types.js").TranscriptLine[], next: string | null}>} what was said last, in order
   */
  transcript(callId, before) {
    const query = new URLSearchParams({ limit: "100", ...(before ? { before } : {}) });
    return this.#send("GET", `/calls/${callId}/transcript?${query}`);
  }

  /**
   * @param {string} callId of a call that is over
   * @param {string} title of the task
   * @returns {Promise<{task_id: string}>} the task that makes its roadmap
   */
  makeRoadmap(callId, title) {
    const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
    const params = { call_id: callId, time_zone: timeZone };
    return this.#send("POST", "/tasks", { kind: "call_roadmap", title, params });
  }

  /** @param {string} roadmapId @returns {Promise<Roadmap>} */
  roadmap(roadmapId) {
    return this.#send("GET", `/roadmaps/${roadmapId}`);
  }

  /**
   * @param {string} roadmapId
   * @param {string} document Markdown
   * @param {number} rev of what it is put in the place of; `conflict` if that is not what is stored
   * @returns {Promise<Roadmap>} as it is then
   */
  editRoadmap(roadmapId, document, rev) {
    return this.#send("PUT", `/roadmaps/${roadmapId}`, { document, rev });
  }

  /** @param {string} roadmapId */
  async deleteRoadmap(roadmapId) {
    await this.#send("DELETE", `/roadmaps/${roadmapId}`);
  }

  /** @returns {Promise<{items: DataExport[]}>} one's own that are kept */
  exports() {
    return this.#send("GET", "/exports");
  }

  /** @returns {Promise<Task>} the task that makes one of all that is held about this person */
  startExport() {
    return this.#send("POST", "/tasks", { kind: "history_export" });
  }

  /** @param {string} exportId @returns {string} where its file is fetched */
  exportUrl(exportId) {
    return `${this.#prefix}/exports/${exportId}/file`;
  }

  /** @param {string} exportId */
  async deleteExport(exportId) {
    await this.#send("DELETE", `/exports/${exportId}`);
  }

  /** @param {string} callId @returns {Promise<Call>} */
  cancel(callId) {
    return this.#send("POST", `/calls/${callId}/cancel`);
  }

  /** @param {string} callId @returns {Promise<Call>} */
  hangup(callId) {
    return this.#send("POST", `/calls/${callId}/hangup`);
  }

  /**
   * What was written in a call, newest first.
   *
   * @param {string} callId
   * @param {string | null} [before] the `next` of an earlier page
   * @returns {Promise<{items: import("./chat/log.js").ChatMessage[], next: string | null}>}
   */
  chat(callId, before = null) {
    return this.#send("GET", `/calls/${callId}/chat${before ? `?before=${before}` : ""}`);
  }

  /** @param {string} callId @returns {Promise<Call>} the others talk on */
  leave(callId) {
    return this.#send("POST", `/calls/${callId}/leave`);
  }

  /** @returns {Promise<IceConfig>} */
  iceServers() {
    return this.#send("GET", "/ice-servers");
  }

  /** @returns {Promise<IceConfig>} to try them, without a call */
  checkIceServers() {
    return this.#send("POST", "/check/ice-servers");
  }

  /** @returns {Promise<number>} how many bytes of noise have come */
  async checkDown() {
    return (await this.#carry("GET")).byteLength;
  }

  /** @returns {Promise<number>} how many bytes of noise have been taken */
  async checkUp() {
    const noise = crypto.getRandomValues(new Uint8Array(UPLOAD_PIECE_BYTES));
    await this.#carry("POST", noise);
    return noise.byteLength;
  }

  /**
   * @param {"GET" | "POST"} method
   * @param {Uint8Array<ArrayBuffer>} [body]
   */
  async #carry(method, body) {
    const headers = { "Content-Type": "application/octet-stream", "X-XSRFToken": cookie("_xsrf") };
    const signal = AbortSignal.timeout(DEADLINE_MS);
    const response = await fetch(`${this.#prefix}/check/bytes`, { method, headers, body, signal, cache: "no-store" });
    if (!response.ok) throw problemOf(response.status, response.statusText, response.headers.get("Retry-After"), null);
    return response.arrayBuffer();
  }

  /**
   * @param {string | null} [before] the `next` of an earlier page
   * @returns {Promise<{items: Voicemail[], next: string | null, unheard: number}>}
   */
  voicemail(before = null) {
    return this.#send("GET", before ? `/voicemail?before=${before}` : "/voicemail");
  }

  /** @param {string} voicemailId of a message that was listened to @returns {Promise<Voicemail>} */
  voicemailHeard(voicemailId) {
    return this.#send("POST", `/voicemail/${voicemailId}/heard`);
  }

  /** @param {string} voicemailId @returns {Promise<void>} also when the page is left meanwhile */
  deleteVoicemail(voicemailId) {
    return this.#send("DELETE", `/voicemail/${voicemailId}`, undefined, { keepalive: true });
  }

  /** @param {string} voicemailId @returns {string} where it can be listened to */
  voicemailAudioUrl(voicemailId) {
    return `${this.#prefix}/voicemail/${voicemailId}/audio`;
  }

  /**
   * Leaves a recording for whoever did not take that call.
   *
   * @param {string} callId
   * @param {Recording} recording
   * @param {(part: number) => void} onProgress from 0 to 1
   * @returns {Promise<Voicemail>}
   */
  leaveVoicemail(callId, { blob, durationMs, levels }, onProgress) {
    const query = new URLSearchParams({ duration_ms: String(durationMs), waveform: levels.join(",") });
    return this.#upload(`/calls/${callId}/voicemail?${query}`, blob, UPLOAD_DEADLINE_MS, onProgress);
  }

  /** @param {string} callId @returns {Promise<{items: CallRecording[]}>} who agreed to be recorded, and what is kept */
  recordings(callId) {
    return this.#send("GET", `/calls/${callId}/recordings`);
  }

  /** @param {string} callId @param {string} recordingId @returns {string} where it can be played */
  recordingUrl(callId, recordingId) {
    return `${this.#prefix}/calls/${callId}/recordings/${recordingId}`;
  }

  /**
   * Keeps a recording with its call.
   *
   * @param {string} callId
   * @param {string} recordingId
   * @param {Blob} blob
   * @param {number} durationMs
   * @param {(part: number) => void} onProgress from 0 to 1
   * @returns {Promise<CallRecording>}
   */
  keepRecording(callId, recordingId, blob, durationMs, onProgress) {
    const path = `/calls/${callId}/recordings/${recordingId}?duration_ms=${Math.max(1, Math.round(durationMs))}`;
    return this.#upload(path, blob, RECORDING_DEADLINE_MS, onProgress);
  }

  /** @param {string} callId @param {string} recordingId */
  async deleteRecording(callId, recordingId) {
    await this.#send("DELETE", `/calls/${callId}/recordings/${recordingId}`);
  }

  /**
   * @param {string} path below the prefix
   * @param {Blob} blob
   * @param {number} deadlineMs
   * @param {(part: number) => void} onProgress from 0 to 1
   * @param {AbortSignal} [signal]
   * @returns {Promise<any>}
   */
  #upload(path, blob, deadlineMs, onProgress, signal) {
    const request = new XMLHttpRequest(); // fetch does not tell how much was sent
    request.open("POST", this.#prefix + path);
    request.timeout = deadlineMs;
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("Content-Type", blob.type || "application/octet-stream");
    request.setRequestHeader("X-XSRFToken", cookie("_xsrf"));
    request.upload.onprogress = ({ loaded, total }) => onProgress(total > 0 ? loaded / total : 0);
    return new Promise((resolve, reject) => {
      request.onload = () => {
        const answer = parsed(request.responseText);
        if (request.status === 201 || request.status === 202) resolve(answer);
        else reject(problemOf(request.status, request.statusText, request.getResponseHeader("Retry-After"), answer));
      };
      request.onerror = request.ontimeout = () => reject(unreachable());
      request.onabort = () => reject(signal?.reason);
      signal?.addEventListener("abort", () => request.abort());
      request.send(blob);
    });
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
   * @param {{kind?: string, text?: string, before?: string | null, limit?: number}} wanted
   * @param {AbortSignal} [signal]
   * @returns {Promise<{items: HistoryItem[], next: string | null, unread: number}>}
   */
  history({ kind = "all", text = "", before = null, limit = 50 }, signal) {
    const query = new URLSearchParams({ filter: kind, limit: String(limit) });
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

  /** @returns {Promise<{items: Book[]}>} every own one and those that are everybody's, without their chapters */
  async books() {
    /** @type {Book[]} */
    const items = [];
    /** @type {string | null} */
    let next = null;
    do {
      /** @type {{items: Book[], next: string | null}} */
      const page = await this.#send("GET", `/books?limit=100${next === null ? "" : `&before=${next}`}`);
      items.push(...page.items);
      next = page.next;
    } while (next !== null);
    return { items };
  }

  /** @param {string} bookId @returns {Promise<Book>} */
  book(bookId) {
    return this.#send("GET", `/books/${bookId}`);
  }

  /**
   * @param {File} file
   * @param {(part: number) => void} onProgress from 0 to 1, of what was sent
   * @param {AbortSignal} signal
   * @returns {Promise<{book: Book}>}
   */
  sendBook(file, onProgress, signal) {
    const query = new URLSearchParams({ filename: file.name });
    return this.#upload(`/books?${query}`, file, RECORDING_DEADLINE_MS, onProgress, signal);
  }

  /** @param {string} bookId */
  async deleteBook(bookId) {
    await this.#send("DELETE", `/books/${bookId}`);
  }

  /** @param {string} bookId @returns {Promise<{session_id: string}>} a new dialogue about that book */
  startDialogue(bookId) {
    return this.#send("POST", "/dialogues/book/start", { book_id: bookId });
  }

  /**
   * @param {string | null} [before] the `next` of an earlier page
   * @returns {Promise<{items: Dialogue[], next: string | null}>} the one that was last written in first
   */
  dialogues(before = null) {
    return this.#send("GET", before ? `/dialogues?before=${encodeURIComponent(before)}` : "/dialogues");
  }

  /**
   * @param {string} sessionId
   * @param {string | null} before the `next` of an earlier page; null: the newest
   * @returns {Promise<{messages: DialogueMessage[], next: string | null}>} in their order
   */
  dialogue(sessionId, before) {
    return this.#send("GET", `/dialogues/${sessionId}${before ? `?before=${encodeURIComponent(before)}` : ""}`);
  }

  /** @param {string} sessionId */
  async deleteDialogue(sessionId) {
    await this.#send("DELETE", `/dialogues/${sessionId}`);
  }

  /**
   * One page of the own tasks, newest first.
   *
   * @param {{state?: import("./types.js").TaskState | null, before?: string | null, limit?: number}} [wanted]
   * @returns {Promise<{items: Task[], next: string | null}>}
   */
  tasks({ state = null, before = null, limit = 50 } = {}) {
    const query = new URLSearchParams({ limit: String(limit) });
    if (state) query.set("state", state);
    if (before) query.set("before", before);
    return this.#send("GET", `/tasks?${query}`);
  }

  /** @param {string} taskId @returns {Promise<Task & {events: TaskEvent[]}>} */
  task(taskId) {
    return this.#send("GET", `/tasks/${taskId}`);
  }

  /** @param {string} taskId @returns {Promise<Task>} */
  cancelTask(taskId) {
    return this.#send("POST", `/tasks/${taskId}/cancel`);
  }

  /**
   * @param {string} taskId
   * @param {{decision: "approve" | "revise", comment: string, round: number}} review `round`: of the draft that was read
   * @returns {Promise<Task>}
   */
  reviewTask(taskId, review) {
    return this.#send("POST", `/tasks/${taskId}/review`, review);
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
      throw unreachable();
    }
    const { status, statusText, headers: received } = response;
    const answer = status === 204 ? null : await response.json().catch(() => null);
    if (!response.ok) throw problemOf(status, statusText, received.get("Retry-After"), answer);
    return answer;
  }
}

function unreachable() {
  return new ApiError({ status: 0, code: "network", detail: "the server could not be reached" });
}

/** @param {string} text @returns {any} null for what is no JSON, a proxy's page, say */
function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/**
 * @param {number} status
 * @param {string} statusText
 * @param {string | null} retryAfter the header
 * @param {any} answer the problem document, or null if there was none
 */
function problemOf(status, statusText, retryAfter, answer) {
  const retryAfterS = Number(retryAfter);
  return new ApiError({
    status,
    code: answer?.code ?? "error",
    detail: answer?.detail ?? statusText,
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
