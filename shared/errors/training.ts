/** Errors of training and evaluating models, and of campaigns. */
export const trainingSentences = {
  TRAINING_DATA_TOO_SHORT: (d: { tokens: number; needed: number }) =>
    `The text is too short to learn from: a part of it has ${d.tokens} tokens where a sequence needs ${d.needed}.`,
  TRAINING_FAMILY_UNKNOWN: (d: { family: string }) =>
    `Models of the family “${d.family}” can be run here, but not trained or measured.`,
  TRAINING_DIVERGED: (d: { step: number }) =>
    `The training went astray at step ${d.step}: the loss is not a number any more. A lower learning rate may help.`,
  TRAINING_TOKEN_UNKNOWN: (d: { token: number; vocabSize: number }) =>
    `The text has the token ${d.token}, but the model's vocabulary ends before ${d.vocabSize}.`,
  DISK_BUDGET_EXCEEDED: (d: { neededBytes: number; budgetBytes: number }) =>
    `Training this model needs ${gigabytes(d.neededBytes)} GB of disk, but only ${gigabytes(d.budgetBytes)} GB may be used.`,
  STATE_NOT_STORED: (d: { reason: string }) =>
    `The training's weights could not be kept on this computer's disk: ${d.reason}.`,
  CAMPAIGN_INVALID: (d: { reason: string }) => `The campaign cannot be used: ${d.reason}.`,
  CAMPAIGN_UNKNOWN: (d: { campaign: string }) => `This network has no training campaign “${d.campaign}”.`,
  CAMPAIGN_EXISTS: (d: { campaign: string }) => `There is a campaign “${d.campaign}” already.`,
  CAMPAIGN_CORRUPT: (d: { campaign: string; reason: string }) =>
    `What is stored of the campaign “${d.campaign}” is damaged: ${d.reason}.`,
  CAMPAIGN_MODE: (d: { campaign: string; mode: 'public' | 'local' }) =>
    d.mode === 'local'
      ? `The campaign “${d.campaign}” learns from texts of people's own, which must be chosen first.`
      : `The campaign “${d.campaign}” learns from public texts only.`,
  TEXT_FILE_INVALID: (d: { path: string; reason: string }) => `The text in ${d.path} cannot be used: ${d.reason}.`,
  OWN_TEXT_INVALID: (d: { reason: string }) => `This text cannot be kept: ${d.reason}.`,
  LOCAL_TEXT_MISSING: (_: Record<never, never>) => 'There is no text on this device that may be learned from.',
  LOCAL_TEXT_SPENT: (d: { campaign: string; sums: number }) =>
    `What was learned from the texts here was in ${d.sums} sums of “${d.campaign}”: one more would tell more of them than it promises.`,
  GROUP_UNSAFE: (d: { reason: string }) => `This group would not keep what was learned here private: ${d.reason}.`,
  GROUP_ANSWER_INVALID: (d: { reason: string }) => `A member's answer in its group cannot be taken: ${d.reason}.`,
  GROUP_UNSUMMED: (d: { reason: string }) => `The group's updates could not be added up: ${d.reason}.`,
  UNIT_UNKNOWN: (_: Record<never, never>) => 'This work unit is not assigned to this wallet.',
  UNIT_CLOSED: (d: { reason: string }) => `The work unit takes no update any more: ${d.reason}.`,
  UNIT_CONFLICT: (_: Record<never, never>) => 'The work unit has another update already.',
  WEIGHTS_GONE: (d: { round: number }) => `The weights of round ${d.round} are not kept any more.`,
};

function gigabytes(bytes: number): string {
  return (bytes / 1e9).toFixed(1);
}
