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

export const CampaignSchema = v.strictObject({
  format: v.literal('ailo/campaign/v1'),
  id: v.pipe(v.string(), v.regex(MODEL_ID)),
  /** The model's config.json in Hugging Face layout. */
  model: v.record(v.string(), v.unknown()),
  /** Whose text: shards that the coordinator hands out and anybody may read. */
  data: v.strictObject({
    mode: v.literal('public'),
    shards: whole(1, MAX_ROUND_WORKERS),
    shardTokens: whole(2, 2 ** 28),
  }),
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
  if (campaign.sequence >= campaign.data.shardTokens) throw invalid('its shards are shorter than a sequence');
  if (campaign.minWorkers > campaign.maxWorkers) throw invalid('it needs more workers than it takes');
  return campaign;
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
