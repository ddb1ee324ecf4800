/**
 * The shapes that travel between server and page, as types only: this module holds no code.
 * They follow docs/protocol.md; times are RFC 3339 strings, durations carry their unit in the name.
 *
 * @typedef {{id: string, username: string, display_name: string}} User
 * @typedef {"online" | "away" | "in_call" | "do_not_disturb" | "offline"} Presence
 * @typedef {"none" | "sent" | "received" | "contacts"} ContactState
 * @typedef {{user: User, presence: Presence, state: ContactState, favourite: boolean, blocked: boolean}} Relation
 * @typedef {User & {presence: Presence, contact: ContactState, favourite: boolean, blocked: boolean}} Found
 *
 * @typedef {{start: string, end: string, time_zone: string}} QuietHours
 * @typedef {User & {locale: string | null, do_not_disturb: boolean, call_waiting: "ring" | "busy",
 *   callers: "everybody" | "contacts", quiet_hours: QuietHours | null, admin: boolean}} Profile
 * @typedef {{id: string, label: string, created_at: string, last_seen_at: string, current: boolean, online: boolean,
 *   push: boolean, silenced: boolean}} Device
 *
 * @typedef {"audio" | "video"} MediaKind
 * @typedef {"inviting" | "ringing" | "connecting" | "active" | "ended"} CallState
 * @typedef {{leg_id: string, user: User, device: string | null, state: string, reason: string | null,
 *   call_waiting: boolean, invited_by: string | null, ring_deadline: string | null, joined_at: string | null, left_at: string | null}} Leg
 * @typedef {{call_id: string, state: CallState, media: MediaKind, created_by: User | string, created_at: string,
 *   ring_deadline: string, answered_at: string | null, ended_at: string | null,
 *   duration_s: number | null, end_reason: string | null, ended_by: string | null, host: string | null,
 *   alone_until: string | null, rev: number,
 *   recording: Recording | null, legs: Leg[]}} Call
 *
 * @typedef {{leg_id: string, user: User, agreed_at: string | null, refused_at: string | null}} Consent
 * @typedef {{recording_id: string, leg_id: string, by: User, media: MediaKind,
 *   state: "asked" | "on" | "paused" | "declined" | "stopped", asked_at: string, started_at: string | null,
 *   ended_at: string | null, reason: string | null, consents: Consent[],
 *   kept?: {size_bytes: number, content_type: string, duration_s: number, created_at: string} | null}} Recording
 * @typedef {{max_bytes: number, keep_days: number}} RecordingTerms
 *
 * @typedef {Call & {direction: "incoming" | "outgoing", missed: boolean, unread: boolean, outcome: string,
 *   details: string}} HistoryItem
 *
 * @typedef {{audio: boolean, video: boolean, screen: boolean, hand: boolean}} MediaState
 * @typedef {"connected" | "reconnecting"} Presentness
 * @typedef {{leg_id: string, user: User, rank: number, connection: Presentness, media: MediaState,
 *   paths: Record<string, PathState>}} Participant
 *
 * @typedef {{line_id: string, leg_id: string, segment: string, user: User | null, text: string, said_at: string}} TranscriptLine
 *
 * @typedef {{export_id: string, task_id: string, size_bytes: number, created_at: string, expires_at: string}} DataExport
 * @typedef {{roadmap_id: string, call_id: string, title: string, language: string, document: string, rev: number,
 *   made_by: User, changed_by: User, created_at: string, changed_at: string}} Roadmap
 *
 * @typedef {"checking" | "connected" | "disconnected" | "failed"} PathState
 *
 * @typedef {{page: string, user: User | null, device: string, api: string, people?: Relation[], call?: Call, leg_id?: string,
 *   ice?: IceConfig | null, voicemail?: VoicemailTerms | null,
 *   recording?: RecordingTerms | null, transcript?: boolean, roadmap?: Roadmap | string | null, roadmap_task?: string | null,
 *   task?: Task & {events: TaskEvent[]}, tasks?: Task[]}} Boot
 * @typedef {{ice_servers: RTCIceServer[], policy: RTCIceTransportPolicy, expires_at: string,
 *   expires_in: number}} IceConfig
 *
 * @typedef {{mean: number, low: number, high: number}} Spread
 * @typedef {{leg_id: string, user: User, since: string, until: string, reports: number, score: Spread | null,
 *   loss: Spread | null, jitter_ms: Spread | null, rtt_ms: Spread | null, kbit_in: Spread | null, kbit_out: Spread | null,
 *   audio_level: Spread | null, freezes: number, candidates: string[],
 *   points: {at_s: number, score: number | null, loss: number | null}[]}} PathSummary
 * @typedef {{leg_id: string, user: User, paths: PathSummary[]}} LegQuality
 *
 * @typedef {{voicemail_id: string, call_id: string, from: User, duration_s: number, size_bytes: number,
 *   content_type: string, waveform: number[], created_at: string, heard_at: string | null}} Voicemail
 * @typedef {{max_s: number, max_bytes: number, window_s: number}} VoicemailTerms `window_s`: of it what is left
 *
 * @typedef {{number: number, title: string, passages: number}} BookChapter
 * @typedef {{book_id: string, title: string, author: string | null, language: string | null,
 *   format: "markdown" | "text" | "epub" | "pdf", size_bytes: number, built_in: boolean,
 *   state: "importing" | "ready" | "failed", error: {code: string, message: string} | null, 
 *   chapters?: BookChapter[], chapter_count: number,
 *   passages: number, task_id: string | null, created_at: string}} Book
 *
 * @typedef {{n: number, passage_id: string, book_id: string, book_title: string, chapter: number, chapter_title: string,
 *   heading: string, quote: string, url: string}} DialogueSource
 * @typedef {{message_id: string, session_id: string, number: number, role: "person" | "assistant", text: string,
 *   parts: number, state: "stored" | "waiting" | "streaming" | "complete" | "interrupted" | "cancelled" | "failed",
 *   reply_to: string | null, sources: DialogueSource[], error: {code: string, message: string} | null,
 *   created_at: string, completed_at: string | null}} DialogueMessage
 * @typedef {{session_id: string, title: string, book: {book_id: string, title: string}, created_at: string,
 *   updated_at: string, ws_url: string, responder: string, last_message?: DialogueMessage | null}} Dialogue
 *
 * @typedef {"queued" | "running" | "waiting_review" | "completed" | "failed" | "cancelled"} TaskState
 * @typedef {{code: string, message: string}} TaskError
 * @typedef {{url?: string, title?: string, [field: string]: any}} TaskResult
 * @typedef {{task_id: string, kind: string, title: string, user_id: string, state: TaskState, stalled: boolean,
 *   progress: number, stage: string | null, stages: string[], message: string | null, code: string | null,
 *   values: Record<string, any>, number: number, created_at: string, started_at: string | null, updated_at: string,
 *   ended_at: string | null, deadline: string | null, cancel_requested: boolean,
 *   review: {document?: string, round: number} | null, result: TaskResult | null, error: TaskError | null,
 *   ws_url: string}} Task `number`: of its newest event; in lists and notices without the document, and with no more of the
 *   result than is small
 * @typedef {{task_id: string, number: number, type: string, timestamp: string, state: TaskState, progress: number,
 *   stage: string | null, message: string | null, code: string | null, values: Record<string, any>,
 *   data: Record<string, any> | null, user_id: string | null}} TaskEvent `user_id`: of the person who did it
 *
 * @typedef {{type: string, id?: string, seq?: number, timestamp: string, [field: string]: any}} Frame
 */

export {};
