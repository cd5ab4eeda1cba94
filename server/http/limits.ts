/** Every limit of the HTTP server, in one place. */

/** Of one network address: a node loading a large model asks for a megabyte at a time. */
export const MAX_REQUESTS_PER_MINUTE = 30_000;
/** Longest part of a path. */
export const MAX_URL_BYTES = 256;
/** For receiving a request, not for answering it. */
export const REQUEST_TIMEOUT_MS = 30_000;
export const MAX_PAGE = 100;
