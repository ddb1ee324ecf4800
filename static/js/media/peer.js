/**
 * The media path to one other leg: an RTCPeerConnection with perfect negotiation in one closure. It knows neither the
 * DOM nor the sockets; what has to reach the other side goes through `send`, what comes from there through `receive`.
 *
 * Perfect negotiation: https://w3c.github.io/webrtc-pc/#perfect-negotiation-example
 *
 * @typedef {import("../realtime/clock.js").Clock} Clock
 * @typedef {import("../types.js").PathState} PathState
 * @typedef {"audio" | "video" | "screen"} Kind `video` is the camera's, `screen` a second video beside it. Which is which
 *   says the order of the descriptions' media: audio, video, screen.
 *
 * @typedef {{type: "offer" | "answer", sdp: string} |
 *   {type: "candidate", candidates: RTCIceCandidateInit[]}} Signal an empty list ends the candidates
 *
 * @typedef {object} PeerOptions
 * @property {boolean} polite whether we give way when offers collide
 * @property {boolean} initiator whether the first offer is ours. The other side waits for it a while, so that two
 *   that meet do not begin with a collision.
 * @property {(signal: Signal) => void} send
 * @property {(state: PathState) => void} onState what the path is doing, each change once
 * @property {(stream: MediaStream) => void} onStream what the other side sends; the tracks in it come and go
 * @property {(stream: MediaStream) => void} [onScreen] the screen that the other side shows
 * @property {() => void} onLost the path did not come back in time; `restart` tries once more
 * @property {(error: unknown) => void} onError a description that could not be used
 * @property {RTCConfiguration} [configuration] the STUN and TURN servers, and whether only TURN may be used
 * @property {() => Promise<RTCConfiguration>} [freshConfiguration] the same, as it is good for an ICE restart: the
 *   credentials of the first one may have run out long ago
 * @property {Kind[]} [receive] what we want even where we send nothing
 * @property {(sdp: string) => string} [asking] what our description says to the other side about its sending
 * @property {Clock} [clock]
 * @property {typeof RTCPeerConnection} [PeerConnectionClass]
 *
 * @typedef {object} Peer
 * @property {RTCPeerConnection} connection to be looked at, and for what its tracks are sent with: not to be negotiated
 * @property {(kind: Kind, track: MediaStreamTrack | null) => Promise<void>} setTrack what we send of this kind
 * @property {() => void} begin after the first tracks: the initiator offers now
 * @property {(signal: Signal) => Promise<void>} receive in the order in which they came
 * @property {() => void} restart looks for a new way, as after a change of network
 * @property {() => Promise<RTCStatsReport>} stats
 * @property {() => void} silence from now on what the other side negotiates is another connection: this one goes on as it
 *   is for as long as it can, with other tracks in their places, and says nothing any more
 * @property {() => void} close
 */
import { systemClock } from "../realtime/clock.js";

/** How long the waiting side waits for the first offer before it makes one itself. */
const FIRST_OFFER_MS = 5_000;
/** Candidates found within this time share a frame: they come in bursts, frames are counted. */
const CANDIDATE_BATCH_MS = 50;
/** A lost path: ICE restart at once, once more after this … */
const SECOND_RESTART_MS = 8_000;
/** … and given up after that. */
const GIVE_UP_MS = 30_000;

/** Credentials that do not come in time cost no restart: it is made with the old ones. */
const CONFIGURATION_PATIENCE_MS = 3_000;

/** @type {Record<RTCPeerConnectionState, PathState | null>} */
const PATH_STATES = {
  new: "checking",
  connecting: "checking",
  connected: "connected",
  disconnected: "disconnected",
  failed: "failed",
  closed: null,
};

/**
 * @param {PeerOptions} options
 * @returns {Peer}
 */
export function createPeer({
  polite,
  initiator,
  send,
  onState,
  onStream,
  onScreen = () => {},
  onLost,
  onError,
  configuration = {},
  freshConfiguration,
  receive: wanted = ["audio", "video", "screen"],
  asking = (sdp) => sdp,
  clock = systemClock,
  PeerConnectionClass = RTCPeerConnection,
}) {
  const pc = new PeerConnectionClass(configuration);
  const remoteStream = new MediaStream();
  const localStream = new MediaStream();
  /** @type {Map<Kind, RTCRtpTransceiver>} */
  const sending = new Map();
  /** What is sent of one kind is changed once at a time. @type {Map<Kind, Promise<void>>} */
  const changes = new Map();
  /** To be sent as soon as there is a place for it. @type {MediaStreamTrack | null} */
  let waitingScreen = null;
  const recovery = createRecovery({ clock, restart: restartIce, giveUp: onLost });

  let makingOffer = false;
  let ignoreOffer = false;
  /** The waiting side makes no offer of its own before it has seen the first one. */
  let mayOffer = false;
  let begun = false;
  let silent = false;
  let closed = false;
  /** @type {PathState | null} */
  let lastState = null;
  /** Signals are worked off one after the other, as they came. @type {Promise<void>} */
  let inbound = Promise.resolve();
  /** Found by the other side before we know its description. @type {(RTCIceCandidateInit | null)[]} */
  const early = [];
  /** @type {RTCIceCandidateInit[]} */
  let found = [];
  /** @type {any} */
  let batchTimer = null;
  /** @type {any} */
  let firstOfferTimer = null;

  pc.onnegotiationneeded = () => negotiate();
  pc.onicecandidate = ({ candidate }) => candidateFound(candidate);
  pc.ontrack = ({ track, transceiver }) => {
    if (kindOf(transceiver) === "screen") return onScreen(new MediaStream([track]));
    remoteStream.addTrack(track);
    onStream(remoteStream);
  };
  pc.onconnectionstatechange = () => stateChanged();

  /** @param {Signal} signal */
  function say(signal) {
    if (!silent) send(signal);
  }

  async function negotiate() {
    if (!mayOffer || closed || silent) return;
    try {
      makingOffer = true;
      await pc.setLocalDescription();
      sendDescription();
    } catch (error) {
      if (!closed) onError(error);
    } finally {
      makingOffer = false;
    }
  }

  function sendDescription() {
    const { type, sdp } = /** @type {RTCSessionDescription} */ (pc.localDescription);
    say({ type: /** @type {"offer" | "answer"} */ (type), sdp: asking(sdp) });
  }

  function allowOffers() {
    clock.clearTimeout(firstOfferTimer);
    mayOffer = true;
  }

  async function restartIce() {
    if (freshConfiguration) await renewConfiguration(freshConfiguration);
    if (!closed && !silent) pc.restartIce();
  }

  /** @param {() => Promise<RTCConfiguration>} load */
  async function renewConfiguration(load) {
    /** @type {any} */
    let timer = null;
    const late = new Promise((resolve) => {
      timer = clock.setTimeout(() => resolve(null), CONFIGURATION_PATIENCE_MS);
    });
    const fresh = await Promise.race([load(), late]);
    clock.clearTimeout(timer);
    if (fresh && !closed) pc.setConfiguration(fresh);
  }

  /** @param {"offer" | "answer"} type @param {string} sdp */
  async function receiveDescription(type, sdp) {
    // We gather anew for the other side's restart, too.
    if (freshConfiguration && type === "offer" && restartsIce(sdp)) await renewConfiguration(freshConfiguration);
    if (closed) return;
    const collision = type === "offer" && (makingOffer || pc.signalingState !== "stable");
    ignoreOffer = !polite && collision;
    if (ignoreOffer) return;
    if (type === "answer" && pc.signalingState !== "have-local-offer") return; // to an offer that we took back
    await pc.setRemoteDescription({ type, sdp });
    allowOffers();
    for (const candidate of early.splice(0)) await addCandidate(candidate);
    if (type === "offer") {
      rememberTransceivers();
      if (waitingScreen) await setScreen();
      await pc.setLocalDescription();
      sendDescription();
    }
  }

  /** @param {string} sdp an offer with other ICE credentials than before (RFC 8839, 4.4.3) */
  function restartsIce(sdp) {
    const before = ufrag(pc.remoteDescription?.sdp);
    return before !== undefined && before !== ufrag(sdp);
  }

  /** @param {RTCIceCandidateInit[]} candidates */
  async function receiveCandidates(candidates) {
    for (const candidate of candidates.length > 0 ? candidates : [null]) {
      if (pc.remoteDescription) await addCandidate(candidate);
      else early.push(candidate);
    }
  }

  /** @param {RTCIceCandidateInit | null} candidate null: there are no more */
  async function addCandidate(candidate) {
    try {
      await pc.addIceCandidate(candidate ?? undefined);
    } catch (error) {
      // A candidate of an offer that we ignored, or of one that a restart has replaced, fits nothing any more.
      if (!ignoreOffer && !closed) console.debug("a candidate was of no use", error);
    }
  }

  /** @param {RTCIceCandidate | null} candidate */
  function candidateFound(candidate) {
    if (candidate?.candidate) {
      found.push(candidate.toJSON());
      batchTimer ??= clock.setTimeout(sendCandidates, CANDIDATE_BATCH_MS);
    } else if (!candidate) {
      sendCandidates();
      say({ type: "candidate", candidates: [] });
    }
  }

  function sendCandidates() {
    clock.clearTimeout(batchTimer);
    batchTimer = null;
    if (found.length > 0 && !closed) say({ type: "candidate", candidates: found });
    found = [];
  }

  function stateChanged() {
    const state = PATH_STATES[pc.connectionState];
    if (state === null || state === lastState) return;
    lastState = state;
    if (state === "connected") recovery.stop();
    if (!silent && (state === "disconnected" || state === "failed")) recovery.start();
    onState(state);
  }

  /** After somebody else's offer the transceivers of what we do not send yet are there to be used. */
  function rememberTransceivers() {
    for (const transceiver of pc.getTransceivers()) {
      const kind = kindOf(transceiver);
      if (!sending.has(kind) && transceiver.direction !== "stopped") sending.set(kind, transceiver);
    }
  }

  /**
   * @param {RTCRtpTransceiver | undefined} transceiver
   * @returns {Kind}
   */
  function kindOf(transceiver) {
    if (transceiver?.receiver.track.kind !== "video") return "audio";
    const first = pc.getTransceivers().find(({ receiver }) => receiver.track.kind === "video");
    return transceiver === first ? "video" : "screen";
  }

  /** @param {Kind} kind */
  function prepare(kind) {
    if (sending.has(kind)) return;
    sending.set(kind, pc.addTransceiver(kind === "screen" ? "video" : kind, { direction: "recvonly" }));
  }

  /** Shows what is to be shown now, if there is a place for it. */
  async function setScreen() {
    const track = waitingScreen;
    if (!mayOffer) return; // the other side's offer brings the place for it
    if (!track && !sending.has("screen")) return;
    prepare("video");
    prepare("screen");
    const transceiver = /** @type {RTCRtpTransceiver} */ (sending.get("screen"));
    if (transceiver.sender.track === track) return;
    await transceiver.sender.replaceTrack(track);
    transceiver.direction = track ? "sendrecv" : "recvonly"; // which asks for a negotiation
  }

  /** @type {Peer["setTrack"]} */
  function setTrack(kind, track) {
    if (kind === "screen") waitingScreen = track;
    const done = (changes.get(kind) ?? Promise.resolve()).then(() => change(kind, track));
    changes.set(
      kind,
      done.catch(() => {}),
    );
    return done;
  }

  /** @type {Peer["setTrack"]} */
  async function change(kind, track) {
    if (closed) return;
    if (silent) return sending.get(kind)?.sender.replaceTrack(track);
    if (kind === "screen") return setScreen();
    const transceiver = sending.get(kind);
    if (transceiver) {
      await transceiver.sender.replaceTrack(track);
      if (track && !transceiver.direction.startsWith("send")) {
        transceiver.sender.setStreams(localStream);
        transceiver.direction = "sendrecv"; // which asks for a negotiation
      }
    } else if (track) {
      const sender = pc.addTrack(track, localStream);
      const added = pc.getTransceivers().find((candidate) => candidate.sender === sender);
      if (added) sending.set(kind, added);
    }
  }

  return {
    connection: pc,
    setTrack,

    begin() {
      if (begun) return;
      begun = true;
      if (initiator) {
        mayOffer = true;
        for (const kind of wanted) prepare(kind);
        setScreen();
        negotiate();
      } else {
        firstOfferTimer = clock.setTimeout(() => {
          mayOffer = true;
          setScreen();
          if (pc.signalingState === "stable") negotiate();
        }, FIRST_OFFER_MS);
      }
    },

    receive(signal) {
      inbound = inbound.then(async () => {
        if (closed || silent) return;
        try {
          if (signal.type === "candidate") await receiveCandidates(signal.candidates);
          else await receiveDescription(signal.type, signal.sdp);
        } catch (error) {
          if (!closed) onError(error);
        }
      });
      return inbound;
    },

    restart() {
      if (closed || silent || !mayOffer) return;
      if (lastState === "disconnected" || lastState === "failed") recovery.start();
      else restartIce(); // a path that still works changes over without a gap
    },

    stats: () => pc.getStats(),

    silence() {
      silent = true;
      recovery.stop();
      clock.clearTimeout(firstOfferTimer);
    },

    close() {
      closed = true;
      recovery.stop();
      clock.clearTimeout(batchTimer);
      clock.clearTimeout(firstOfferTimer);
      pc.close();
    },
  };
}

/** @param {string | undefined} sdp */
function ufrag(sdp) {
  return sdp?.match(/^a=ice-ufrag:(.*)$/m)?.[1];
}

/**
 * The three moments of a path that was lost: a restart at once, a second one, giving up. Starting it anew while it runs
 * only restarts once more: the time until it gives up is counted from the loss.
 *
 * @param {{clock: Clock, restart: () => void, giveUp: () => void}} options
 */
function createRecovery({ clock, restart, giveUp }) {
  /** @type {any[] | null} */
  let timers = null;

  function stop() {
    for (const timer of timers ?? []) clock.clearTimeout(timer);
    timers = null;
  }

  return {
    stop,
    start() {
      restart();
      timers ??= [
        clock.setTimeout(restart, SECOND_RESTART_MS),
        clock.setTimeout(() => {
          stop();
          giveUp();
        }, GIVE_UP_MS),
      ];
    },
  };
}
