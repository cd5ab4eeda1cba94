/** Errors of a training update: what a node sends of a round, and what comes back. */
export const updateSentences = {
  UPDATE_INVALID: (d: { reason: string }) => `The training update cannot be used: ${d.reason}.`,
};
