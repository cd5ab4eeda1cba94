/** How the workers of `ailo train` are joined, as the command line says it. */
import {
  confirmedMean,
  meanOfAll,
  meanOfSenders,
  medianOfAll,
  trimmedMeanOfAll,
} from '../../shared/train/aggregate/rules.ts';
import type { UpdateFormat } from '../../shared/train/codec/format.ts';
import { type Aggregator, fedAvg } from '../../shared/train/federation/aggregator.ts';
import { type CodedAggregator, codedAggregator } from '../../shared/train/federation/coded.ts';
import { choice, number, type Values } from '../cli.ts';

export const CODECS = ['none', 'int8', 'sparseloco'] as const;
/** SparseLoCo's 64 of 4096. Coming back, so few cost 0.09 nats, and 256 cost 0.015 (docs/training-averaging.md). */
const UPLINK_KEEP = 64;
const DOWNLINK_KEEP = 256;
const RULES = {
  mean: meanOfAll,
  senders: meanOfSenders,
  median: medianOfAll,
  trimmed: trimmedMeanOfAll,
  confirmed: confirmedMean,
};
type RuleName = keyof typeof RULES;
export const RULE_NAMES = Object.keys(RULES) as RuleName[];

/** Throws USAGE. */
export function aggregatorOf(values: Values): Aggregator | CodedAggregator {
  const codec = choice(values, 'codec', CODECS, 'none');
  const rule = choice(values, 'aggregator', RULE_NAMES, codec === 'none' ? 'mean' : 'confirmed');
  const outerLearningRate = number(values, 'outer-lr', { min: 0, max: 10, default: 1 });
  if (codec === 'none' && rule === 'mean') return fedAvg({ outerLearningRate });
  const formatOf = (keep: number): UpdateFormat => (codec === 'sparseloco' ? { codec: 'sparse', keep } : { codec });
  return codedAggregator({
    campaign: 'local',
    uplink: formatOf(UPLINK_KEEP),
    downlink: formatOf(DOWNLINK_KEEP),
    rule: RULES[rule],
    outerLearningRate,
  });
}

/** Bytes that crossed, and how many times more the f32 weights would have been. */
export function crossed({ sent }: CodedAggregator, plan: { workers: number; rounds: number }, parameters: number) {
  const plainBytes = 4 * parameters * plan.rounds * plan.workers;
  return { ...sent, uplinkSaving: Number((plainBytes / sent.uplinkBytes).toFixed(1)) };
}
