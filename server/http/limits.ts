/** Every limit of the HTTP server, in one place. */
import type { BucketRule } from '../coordinator/limits.ts';

/** Of one network address: a node loading a large model asks for a megabyte at a time. */
export const MAX_REQUESTS_PER_MINUTE = 30_000;
/** Of one network address: a proof costs some thousand hashes. */
export const PROOF_RATE = { rateLimit: { max: 3_000, timeWindow: 60_000 } };
/** Longest part of a path. */
export const MAX_URL_BYTES = 256;
/** For receiving a request, not for answering it. */
export const REQUEST_TIMEOUT_MS = 30_000;
/** An update of `ailo-840m` has 16 MB in the usual format. */
export const MAX_UPDATE_BODY_BYTES = 64 * 2 ** 20;
export const MAX_PAGE = 100;
/** The longest submission in hex with the JSON around it. */
export const MAX_SUBMISSION_BYTES = 4096;
/** Of what never changes: a year, the most that caches are asked for. */
export const FOR_EVER = 'public, max-age=31536000, immutable';

/** How much is taken from whom. */
export const SUBMISSION_RATES = {
  /** Of one network address, whatever comes of it. A school or a simulation shares one. */
  perAddress: { capacity: 5_000, perSecond: 500 },
  /** Of one network address, with keys or signatures that are none: checking them is what costs most. */
  forgeriesPerAddress: { capacity: 20, perSecond: 0.2 },
  /** Of one wallet, with a good signature. */
  perWallet: {
    transfer: { capacity: 60, perSecond: 5 },
    registration: { capacity: 3, perSecond: 1 / 60 },
    /** A node cosigns each checkpoint that brings something new to it, a few a second at most. */
    cosignature: { capacity: 60, perSecond: 5 },
    report: { capacity: 20, perSecond: 0.2 },
  },
} as const satisfies Record<string, BucketRule | Record<string, BucketRule>>;
