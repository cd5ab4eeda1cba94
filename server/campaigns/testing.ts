/** What the tests of campaigns share. */
import { type Campaign, parseCampaign } from '../../shared/train/campaign/campaign.ts';
import { configJson } from '../../shared/train/hugging-face.ts';
import { PRESETS } from '../../shared/train/presets.ts';

/** A campaign of three rounds of a model of some thousand parameters, by two to four workers. */
export function campaignOf(change: Partial<Campaign> = {}): Campaign {
  const config = { ...PRESETS['nano-char'], layers: 1, heads: 2, hiddenSize: 16, headDim: 8, intermediateSize: 64 };
  return parseCampaign({
    ...{ format: 'ailo/campaign/v1', id: 'tiny', model: configJson({ ...config, maxPositions: 16 }) },
    ...{ data: { mode: 'public', shards: 4, shardTokens: 1000 }, seed: 1 },
    ...{ rounds: 3, localSteps: 4, batch: 2, sequence: 16 },
    ...{ schedule: { peak: 1e-3, floor: 1e-4, warmup: 2, total: 12 }, weightDecay: 0.1, maxGradientNorm: 1 },
    ...{ uplinkKeep: 64, downlinkKeep: 256, aggregator: 'confirmed', outerLearningRate: 1 },
    ...{ minWorkers: 2, maxWorkers: 4, quorumPermille: 500, graceMs: 1000, roundTimeoutMs: 60_000 },
    ...change,
  });
}

/** A text with something to learn: each token follows from the one before, but for noise. */
export function textOf(tokens: number, vocabulary: number): Int32Array {
  let state = 7;
  return Int32Array.from({ length: tokens }, (_, i) => {
    state = i % 11 === 0 ? (i * 31) % vocabulary : (state * 5 + 3) % vocabulary;
    return state;
  });
}
