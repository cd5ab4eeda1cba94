/** Every bound of the coordinator's campaigns, in one place. */

/** Of the validation text, how many batches each cohort is measured on: they rotate with the round. */
export const HELD_OUT_BATCHES = 8;
/** Of a unit's own batches, and of others, how many tell whether it learned from what it was assigned. */
export const ASSIGNED_BATCHES = 4;
/** The small step along an update that its loss score is taken at. */
export const SCORE_STEP = 0.25;
/** An update whose norm is so many times the cohort's median, or so small a part of it, is none of honest work. */
export const MAX_NORM_RATIO = 8;
/** Cosine of two updates above which the later one is a copy of the earlier. */
export const MAX_SIMILARITY = 0.9;
/** An update that gains less than this share of the cohort's median gain adds nothing. */
export const MIN_GAIN_SHARE = 0.1;
/** How often time limits are looked at. */
export const CAMPAIGN_TICK_MS = 250;
/** How often it is looked whether a campaign was created, paused or resumed. */
export const LOOK_EVERY_MS = 2_000;
/** Of the text, what is trained on; the rest is for validation. */
export const TRAINING_SHARE = 0.9;
/** Rounds whose canonical weights are kept, for whoever is fetching them. */
export const WEIGHTS_KEPT = 2;
