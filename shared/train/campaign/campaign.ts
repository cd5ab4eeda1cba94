/** What a campaign trains, on what, and how: the file that the coordinator keeps and every worker reads. */
import * as v from 'valibot';
import { AiloError } from '../../errors/index.ts';
import { MODEL_ID } from '../../ledger/limits.ts';
import { parseConfig } from '../../model/config.ts';
import type { ModelConfig } from '../../model/types.ts';
import {
  confirmedMean,
  meanOfAll,
  meanOfSenders,
  medianOfAll,
  type Rule,
  trimmedMeanOfAll,
} from '../aggregate/rules.ts';
import type { UpdateFormat } from '../codec/format.ts';
import { BLOCK_VALUES } from '../codec/limits.ts';
import { MAX_GROUP, MAX_NOISE_MULTIPLIER, MIN_GROUP, MIN_NOISE_MULTIPLIER } from '../group/limits.ts';
import { placesOf } from '../group/places.ts';
import { MAX_BATCH } from '../limits.ts';
import { MAX_LOCAL_STEPS, MAX_ROUND_MS, MAX_ROUND_WORKERS, MAX_ROUNDS } from './limits.ts';

export const RULES = {
  mean: meanOfAll,
  senders: meanOfSenders,
  median: medianOfAll,
  trimmed: trimmedMeanOfAll,
  confirmed: confirmedMean,
} satisfies Record<string, Rule>;
export type RuleName = keyof typeof RULES;
export const RULE_NAMES = Object.keys(RULES) as RuleName[];

const whole = (min: number, max: number) => v.pipe(v.number(), v.integer(), v.minValue(min), v.maxValue(max));
const rate = v.pipe(v.number(), v.finite(), v.minValue(0), v.maxValue(10));

/** Shards that the coordinator hands out and anybody may read. Every update is looked at. */
const PublicData = v.strictObject({
  mode: v.literal('public'),
  shards: whole(1, MAX_ROUND_WORKERS),
  shardTokens: whole(2, 2 ** 28),
});

/** Text of the workers' own, which stays with them. Nobody sees more of their updates than the sums of groups. */
const LocalData = v.strictObject({
  mode: v.literal('local'),
  /** Workers that are summed, at least: a draw may leave groups of up to twice that, less one. */
  groupSize: whole(MIN_GROUP, MAX_GROUP / 2),
  /** So many of `groupSize` must be in a sum; more than two thirds. In a larger group as many as here may be missing. */
  threshold: whole(MIN_GROUP, MAX_GROUP),
  /** Euclidean norm of what one worker sends in a round, at most. */
  clip: v.pipe(v.number(), v.finite(), v.gtValue(0)),
  /**
   * Gaussian noise in every sum, of deviation `multiplier` · `clip`; what it is worth is told for this `delta`, and for so
   * many `sums`: no worker is in more. Some more than rounds, since what is refused was seen, too.
   */
  noise: v.exactOptional(
    v.strictObject({
      multiplier: v.pipe(v.number(), v.minValue(MIN_NOISE_MULTIPLIER), v.maxValue(MAX_NOISE_MULTIPLIER)),
      delta: v.pipe(v.number(), v.gtValue(0), v.ltValue(1)),
      sums: whole(1, 2 * MAX_ROUNDS),
    }),
  ),
});
export type PublicData = v.InferOutput<typeof PublicData>;
export type LocalData = v.InferOutput<typeof LocalData>;

export const CampaignSchema = v.strictObject({
  format: v.literal('ailo/campaign/v1'),
  id: v.pipe(v.string(), v.regex(MODEL_ID)),
  /** The model's config.json in Hugging Face layout. */
  model: v.record(v.string(), v.unknown()),
  /** Whose text. Nothing is promised of one mode that only the other keeps. */
  data: v.variant('mode', [PublicData, LocalData]),
  /** Of the first weights, and of the sequences that each work unit takes. */
  seed: whole(0, 2 ** 32 - 1),
  rounds: whole(1, MAX_ROUNDS),
  localSteps: whole(1, MAX_LOCAL_STEPS),
  batch: whole(1, MAX_BATCH),
  /** Tokens of a sequence. */
  sequence: whole(1, 2 ** 20),
  /** Over a worker's local steps, of all rounds. */
  schedule: v.strictObject({ peak: rate, floor: rate, warmup: whole(0, 2 ** 31), total: whole(1, 2 ** 31) }),
  weightDecay: rate,
  maxGradientNorm: v.pipe(v.number(), v.finite(), v.gtValue(0)),
  /** Values of a block of 4096 that a worker sends, and that come back. */
  uplinkKeep: whole(1, BLOCK_VALUES),
  downlinkKeep: whole(1, BLOCK_VALUES),
  aggregator: v.picklist(RULE_NAMES),
  outerLearningRate: rate,
  minWorkers: whole(1, MAX_ROUND_WORKERS),
  maxWorkers: whole(1, MAX_ROUND_WORKERS),
  /** Updates, of a thousand units, that begin the grace in which the others may still come. */
  quorumPermille: whole(1, 1000),
  graceMs: whole(0, MAX_ROUND_MS),
  roundTimeoutMs: whole(1, MAX_ROUND_MS),
});
export type Campaign = v.InferOutput<typeof CampaignSchema>;

/** Throws CAMPAIGN_INVALID with the reason. */
export function parseCampaign(json: unknown): Campaign {
  const parsed = v.safeParse(CampaignSchema, json, { abortEarly: true });
  if (!parsed.success) {
    const [issue] = parsed.issues;
    throw AiloError.of('CAMPAIGN_INVALID', { reason: `${v.getDotPath(issue) ?? 'it'}: ${issue.message}` });
  }
  const campaign = parsed.output;
  const { maxPositions } = modelOf(campaign);
  if (campaign.sequence > maxPositions) throw invalid(`its sequences exceed the model's ${maxPositions} positions`);
  if (campaign.minWorkers > campaign.maxWorkers) throw invalid('it needs more workers than it takes');
  const { data } = campaign;
  if (data.mode === 'local') checkGroups(data, campaign);
  else if (campaign.sequence >= data.shardTokens) throw invalid('its shards are shorter than a sequence');
  return campaign;
}

function checkGroups({ groupSize, threshold, noise }: LocalData, { minWorkers, rounds }: Campaign): void {
  if (threshold > groupSize) throw invalid('its groups can never be complete');
  if (noise && noise.sums < rounds) throw invalid('its rounds need more sums than a worker may be in');
  if (3 * threshold <= 2 * groupSize) throw invalid('more than two thirds of a group must be in its sum');
  if (minWorkers < groupSize) throw invalid('it begins with fewer workers than a group has');
}

/** Throws CAMPAIGN_INVALID for a campaign whose workers learn from texts of their own. */
export function publicDataOf({ data }: Pick<Campaign, 'data'>): PublicData {
  if (data.mode !== 'public') throw invalid('its texts are with its workers');
  return data;
}

/** How what workers send of a round lies in the coordinator's files. */
export function uplinkOf(campaign: Campaign, round: number): UpdateFormat {
  const { data, seed, uplinkKeep } = campaign;
  if (data.mode === 'public') return formatsOf(campaign).uplink;
  return { codec: 'subset', places: placesOf(seed, round, uplinkKeep) };
}

/** The model's configuration. Throws the errors of config.json. */
export function modelOf({ model }: Pick<Campaign, 'model'>): ModelConfig {
  return parseConfig(model);
}

/** How updates are written on their way to the coordinator, and on the way back. */
export function formatsOf({ uplinkKeep, downlinkKeep }: Campaign): { uplink: UpdateFormat; downlink: UpdateFormat } {
  return { uplink: { codec: 'sparse', keep: uplinkKeep }, downlink: { codec: 'sparse', keep: downlinkKeep } };
}

function invalid(reason: string): AiloError {
  return AiloError.of('CAMPAIGN_INVALID', { reason });
}
