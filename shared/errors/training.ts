/** Errors of training and evaluating models. */
export const trainingSentences = {
  TRAINING_DATA_TOO_SHORT: (d: { tokens: number; needed: number }) =>
    `The text is too short to learn from: a part of it has ${d.tokens} tokens where a sequence needs ${d.needed}.`,
  TRAINING_FAMILY_UNKNOWN: (d: { family: string }) =>
    `Models of the family “${d.family}” can be run here, but not trained or measured.`,
  TRAINING_DIVERGED: (d: { step: number }) =>
    `The training went astray at step ${d.step}: the loss is not a number any more. A lower learning rate may help.`,
  TRAINING_TOKEN_UNKNOWN: (d: { token: number; vocabSize: number }) =>
    `The text has the token ${d.token}, but the model's vocabulary ends before ${d.vocabSize}.`,
};
