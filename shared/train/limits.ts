/** Every limit of training, in one place. */

/** Values of the parameters that one run of the optimiser takes; a larger tensor has a run of its own. */
export const MAX_UPDATE_VALUES = 2 ** 24;
/** A model of more parameters is trained block by block. */
export const MAX_WHOLE_PARAMETERS = 2 ** 25;
/** A text to train on is read whole. */
export const MAX_TEXT_BYTES = 2 ** 29;
export const MAX_WORKERS = 64;
/** Rounds, and local steps of a round. */
export const MAX_STEPS = 1_000_000;
export const MAX_BATCH = 4096;
export const MAX_EVALUATION_BATCHES = 10_000;
/** Of one dialogue to learn from. */
export const MAX_DIALOGUE_MESSAGES = 256;
