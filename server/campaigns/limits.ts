/** Every bound of the coordinator's campaigns, in one place. */

/** Of the validation text, how many batches each cohort is measured on: they rotate with the round. */
export const HELD_OUT_BATCHES = 8;
/** Of a unit's own batches, and of another shard, how many tell whether it learned from what it was assigned. */
export const SAMPLED_BATCHES = 4;
/** The small step along an update that its loss score is taken at. */
export const SCORE_STEP = 0.25;
/** An update whose norm is so many times the cohort's median, or so small a part of it, is none of honest work. */
export const MAX_NORM_RATIO = 8;
/** An update of which a larger share was sent before, or is public, is a copy. */
export const MAX_COPIED = 0.9;
/** Of earlier rounds, how many updates a cohort is compared with. */
export const MAX_COMPARED = 256;
/** What a wallet's diligence keeps of its past in each round. */
export const DILIGENCE_DECAY = 0.8;
/** Of what is expected of it, what a wallet has to have learned from its own text, once there is so much evidence. */
export const MIN_DILIGENCE = 0.3;
export const MIN_EVIDENCE = 0.4;
/** Wallets of a campaign whose diligence is kept: those that were seen last. */
export const MAX_DILIGENCES = 10_000;
/** Campaigns whose texts and graph the thread that judges keeps. */
export const MAX_METERS = 4;
/** An update that gains a smaller share of what the cohort's median gains adds nothing: honest ones had 0.36 and more. */
export const MIN_GAIN_SHARE = 0.25;
/** Of the same, by how much the loss on held-out text may rise by chance. */
export const MAX_HARM_SHARE = 0.1;
/** How often time limits are looked at. */
export const CAMPAIGN_TICK_MS = 250;
/** How often it is looked whether a campaign was created, paused or resumed. */
export const LOOK_EVERY_MS = 2_000;
/** Of the text, what is trained on; the rest is for validation. */
export const TRAINING_SHARE = 0.9;
/** Rounds whose canonical weights are kept, for whoever is fetching them. */
export const WEIGHTS_KEPT = 2;
