/** Every limit of training, in one place. */

/** Values of the parameters that one run of the optimiser takes; a larger tensor has a run of its own. */
export const MAX_UPDATE_VALUES = 2 ** 24;
