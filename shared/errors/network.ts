/** Errors of talking to each other: sessions, messages, frames, jobs. */
export const networkSentences = {
  INTERNAL: (_: Record<never, never>) => 'Something went wrong that nobody foresaw; the log has the details.',
  CANCELLED: (_: Record<never, never>) => 'It was stopped before it finished.',
  UNREACHABLE: (d: { url: string }) => `The coordinator at ${d.url} cannot be reached.`,
  MESSAGE_INVALID: (d: { type: string; reason: string }) => `A message “${d.type}” was not understood: ${d.reason}.`,
  FRAME_INVALID: (d: { reason: string }) => `A tensor frame was not understood: ${d.reason}.`,
  PROTOCOL_UNSUPPORTED: (d: { theirs: number; ours: number }) =>
    `The other side speaks version ${d.theirs} of the protocol and this side version ${d.ours}: please update.`,
  AUTHENTICATION_FAILED: (d: { reason: string }) => `The wallet could not be authenticated: ${d.reason}.`,
  NOT_AUTHENTICATED: (_: Record<never, never>) => 'Please authenticate with a wallet first.',
  ALREADY_CONNECTED: (_: Record<never, never>) =>
    'This wallet is already connected from another place; close that one first.',
  SESSION_LOST: (_: Record<never, never>) => 'The connection was interrupted for too long and has to start anew.',
  SESSION_OVERFLOW: (d: { limitBytes: number }) =>
    `The other side did not keep up: more than ${d.limitBytes} bytes were waiting for it.`,
  RATE_LIMITED: (d: { retryAfterMs: number }) =>
    `That was too much at once; try again in ${Math.ceil(d.retryAfterMs / 1000)} s.`,
  STAGE_TOO_LARGE: (d: { neededBytes: number; budgetBytes: number }) =>
    `The stage that was asked for needs ${d.neededBytes} bytes, but this node offered only ${d.budgetBytes}.`,
  MODEL_UNKNOWN: (d: { model: string }) => `The network does not serve a model “${d.model}”.`,
  MODEL_NOT_READY: (d: { model: string; ready: number; stages: number }) =>
    `“${d.model}” is not ready: ${d.ready} of its ${d.stages} parts are loaded; it needs more contributors or a moment.`,
  ROOM_BUSY: (d: { model: string }) => `“${d.model}” is answering as many people as it can; try again in a moment.`,
  REQUEST_DUPLICATE: (d: { request: string }) => `The request ${d.request} was already made.`,
  JOB_UNKNOWN: (d: { job: string }) => `There is no job ${d.job} here.`,
  STAGE_LOST: (d: { stage: number }) =>
    `The node holding part ${d.stage + 1} of the model went away during the answer.`,
  REQUESTS_TOO_MANY: (d: { limit: number }) =>
    `${d.limit} of your questions are being answered already; wait until one of them is done.`,
  TOKEN_UNKNOWN: (d: { token: number; vocabSize: number }) =>
    `The prompt has the token ${d.token}, but this model knows only ${d.vocabSize}.`,
  JOB_STALLED: (d: { timeoutMs: number }) =>
    `No word of the answer came for ${d.timeoutMs / 1000} s, so it was given up.`,
  CHECKER_BUSY: (_: Record<never, never>) => 'This node has answers of its own to compute and no room for a check.',
  ANSWER_DISPUTED: (d: { times: number }) =>
    `The answer was begun anew ${d.times} times because nodes did not agree on it, and given up.`,
  NODE_BANNED: (d: { untilMs: number }) =>
    `This wallet's node gave a wrong answer; it may contribute again from ${new Date(d.untilMs).toISOString().slice(0, 16).replace('T', ' ')} UTC on.`,
  NETWORK_FULL: (_: Record<never, never>) => 'The coordinator has as many connections as it can hold; try again later.',
  NOT_FOUND: (d: { what: string }) => `There is no ${d.what} here.`,
  REQUEST_INVALID: (d: { reason: string }) => `The request was not understood: ${d.reason}.`,
  RANGE_UNSATISFIABLE: (d: { bytes: number }) => `The range asked for is not within the file's ${d.bytes} bytes.`,
  PORT_UNUSABLE: (d: { host: string; port: number; reason: string }) =>
    `The coordinator cannot listen on ${d.host}:${d.port}: ${d.reason}.`,
  ANSWER_LOST: (_: Record<never, never>) =>
    'Ailo was interrupted before it answered; look whether it was done before you try again.',
  ROUTE_INVALID: (_: Record<never, never>) => 'A frame was sent to a node that is not its neighbour in the job.',
};
