/** Every bound of checking answers, in one place. */

/** The share of a wallet's answers that is checked falls with the checks it passed: 1 at none, 1/2 at so many, … */
export const PASSES_PER_HALVING = 8;
/** … and never below this. */
export const LEAST_RATE = 0.25;
/** Passed checks that are counted. */
export const MAX_PASSES = 1_000;
/** Who gave a wrong answer may come back after this, doubling each time. */
export const BAN_MS = 86_400_000;
export const MAX_BAN_MS = 365 * 86_400_000;
/** Who differs with so many others on what passed between them is taken for who lies. */
export const MAX_DISPUTES = 3;
/** Stages of one answer that are checked at most. */
export const MAX_CHECKS_PER_ANSWER = 8;
/** Rows of all answers under way that the coordinator keeps to compare, bytes; beyond it answers are not checked. */
export const MAX_EVIDENCE_BYTES = 256 * 2 ** 20;
/** Who was asked for evidence, or for a check, shows progress within this. It covers a session's grace. */
export const EVIDENCE_TIMEOUT_MS = 35_000;
/** An answer's checks are through after this, or count as not done. */
export const AUDIT_TIMEOUT_MS = 300_000;
/** Of a check's rows, what is sent to the checker at once; then it must have run that. */
export const CHECK_WINDOW_BYTES = 4 * 2 ** 20;
/** Times that one answer is begun anew. */
export const MAX_REDONE = 16;
/** Checks whose ids are remembered, so that what is said of one that is over is told apart from what never was. */
export const MAX_NAMED_CHECKS = 10_000;
