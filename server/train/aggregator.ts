/** How the workers of `ailo train` are joined, as the command line says it. */
import { RULE_NAMES, RULES } from '../../shared/train/campaign/campaign.ts';
import type { UpdateFormat } from '../../shared/train/codec/format.ts';
import { UPLINK_KEEP } from '../../shared/train/codec/limits.ts';
import { type Aggregator, fedAvg } from '../../shared/train/federation/aggregator.ts';
import { type CodedAggregator, codedAggregator } from '../../shared/train/federation/coded.ts';
import { choice, type Values } from '../cli.ts';
import { byzantineOf } from './byzantine.ts';

export const CODECS = ['none', 'int8', 'sparseloco'] as const;
/** Of 4096. Coming back, SparseLoCo's 64 cost 0.09 nats, and 256 cost 0.015 (docs/training-averaging.md). */
export const DOWNLINK_KEEP = 256;

/** Throws USAGE. */
export function aggregatorOf(values: Values, workers: number, outerLearningRate: number): Aggregator | CodedAggregator {
  const codec = choice(values, 'codec', CODECS, 'none');
  const rule = choice(values, 'aggregator', RULE_NAMES, codec === 'none' ? 'mean' : 'confirmed');
  const tamper = byzantineOf(values, workers);
  if (codec === 'none' && rule === 'mean' && !tamper) return fedAvg({ outerLearningRate });
  const formatOf = (keep: number): UpdateFormat => (codec === 'sparseloco' ? { codec: 'sparse', keep } : { codec });
  return codedAggregator({
    campaign: 'local',
    uplink: formatOf(UPLINK_KEEP),
    downlink: formatOf(DOWNLINK_KEEP),
    rule: RULES[rule],
    outerLearningRate,
    ...(tamper && { tamper }),
  });
}

/** Bytes that crossed, and how many times more the f32 weights would have been. */
export function crossed({ sent }: CodedAggregator, plan: { workers: number; rounds: number }, parameters: number) {
  const plainBytes = 4 * parameters * plan.rounds * plan.workers;
  return { ...sent, uplinkSaving: Number((plainBytes / sent.uplinkBytes).toFixed(1)) };
}
