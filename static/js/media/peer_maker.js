/**
 * How a connection to one of the others comes about: with servers that are good now, and with what there is to send.
 *
 * @typedef {import("../types.js").Participant} Participant
 * @typedef {import("./other.js").MakePeer} MakePeer
 *
 * @typedef {object} PeerMakerOptions
 * @property {() => Promise<RTCConfiguration>} configuration with STUN and TURN servers that are good now
 * @property {import("./devices.js").LocalMedia} media
 * @property {import("./screen.js").ScreenShare} screen
 * @property {() => Promise<void>} ready when the devices are open, or have been waited for long enough
 * @property {() => number} rank of our own leg
 * @property {(type: string, fields: object) => void} tell the room
 * @property {import("../realtime/clock.js").Clock} clock
 */
import { createPeer } from "./peer.js";
import { asking } from "./sdp.js";
import { tracksInto } from "./sent_media.js";

/** Where data is saved: a picture of 360 lines. */
const SAVING_PICTURE_BITS_PER_S = 400_000;

/**
 * @param {PeerMakerOptions} options
 * @returns {(participant: Participant, initiator: boolean) => MakePeer} `initiator`: whether the first offer is ours
 */
export function peerMaker({ configuration, media, screen, ready, rank, tell, clock }) {
  return ({ leg_id: legId, rank: theirRank }, initiator) =>
    async (events, isGone) => {
      const [servers] = await Promise.all([configuration(), ready()]);
      if (isGone()) return null;
      const peer = createPeer({
        polite: rank() > theirRank,
        initiator,
        configuration: servers,
        freshConfiguration: configuration,
        asking: (sdp) => asking(sdp, { videoBitsPerS: media.saving ? SAVING_PICTURE_BITS_PER_S : null }),
        clock,
        send: ({ type, ...fields }) => tell(type, { to: legId, ...fields }),
        onError: (error) => console.warn("negotiation failed", error),
        ...events,
      });
      await tracksInto(peer, media, screen);
      peer.begin();
      return peer;
    };
}
