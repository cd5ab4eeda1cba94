/** Every limit of the protocol, in one place. */

export const PROTOCOL_VERSION = 1;
/** Socket.IO's own limit for one message (DESIGN §7). A message over it is a closed socket, so we stay well under. */
export const MAX_MESSAGE_BYTES = 256 * 1024;
/** A tensor frame with its header; prefill is chunked so that none is larger. */
export const MAX_FRAME_BYTES = 240 * 1024;
/** What neighbours send each other directly: a frame and its head. Chromium takes 256 KiB at once. */
export const MAX_PEER_MESSAGE_BYTES = MAX_FRAME_BYTES + 1024;
/** Prompt tokens of one request: the longest JSON of so many ids still fits one message. */
export const MAX_PROMPT_TOKENS = 32_768;
export const MAX_NEW_TOKENS = 4_096;
export const MAX_STAGES = 512;
/** Placement units of one model, more than a config.json of 1024 layers can make. */
export const MAX_UNITS = 2 ** 17;
/** What may wait unacknowledged for a peer that is gone, before its session is given up. */
export const MAX_OUTBOX_BYTES = 32 * 2 ** 20;
export const MAX_OUTBOX_MESSAGES = 8_192;
/** A receiver acknowledges at the latest after so many messages or so long. */
export const ACK_EVERY_MESSAGES = 32;
export const ACK_AFTER_MS = 200;
/** A session whose socket dropped is kept so long for it to come back. */
export const SESSION_GRACE_MS = 30_000;
/** A socket must authenticate within this. */
export const AUTHENTICATE_TIMEOUT_MS = 10_000;
/** When a wallet connects twice: the socket that was there first must answer a probe within this, or is dropped. */
export const PROBE_TIMEOUT_MS = 2_000;
/** WebRTC's description of one end of a data channel, with its candidates; Chromium's has about 1,000 characters. */
export const MAX_SDP_LENGTH = 16_384;
export const MAX_ICE_SERVERS = 8;
/** Nodes that one is told to load chunks from. */
export const MAX_SHARERS = 4;
export const MAX_REQUESTS_PER_REQUESTER = 4;
