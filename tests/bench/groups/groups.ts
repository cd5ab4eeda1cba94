/** `npm run bench -- groups`: what masks take, and what summing the same places of all, with and without noise, costs a model. */
import { type Command, integer, string } from '../../../server/cli.ts';
import { createNodeEngine } from '../../../server/runtime/node-engine.ts';
import { DOWNLINK_KEEP } from '../../../server/train/aggregator.ts';
import { MAX_GRADIENT_NORM } from '../../../server/train/learning.ts';
import { openForTraining, readText } from '../../../server/train/open.ts';
import { confirmedMean } from '../../../shared/train/aggregate/rules.ts';
import type { LocalData } from '../../../shared/train/campaign/campaign.ts';
import { BLOCK_VALUES, UPLINK_KEEP } from '../../../shared/train/codec/limits.ts';
import { textCorpus } from '../../../shared/train/corpus.ts';
import { type Aggregator, fedAvg } from '../../../shared/train/federation/aggregator.ts';
import { codedAggregator } from '../../../shared/train/federation/coded.ts';
import { epsilonOf } from '../../../shared/train/group/accountant.ts';
import { GROUP_DOWNLINK_KEEP } from '../../../shared/train/group/limits.ts';
import { secureRandom } from '../../../shared/train/group/noise.ts';
import { initialiser } from '../../../shared/train/initialise.ts';
import { parametersOf } from '../../../shared/train/model/model.ts';
import { ADAMW, adamW } from '../../../shared/train/optimiser/adamw.ts';
import { memoryStore } from '../../../shared/train/store.ts';
import { train } from '../../../shared/train/train.ts';
import { groupAggregator } from './aggregator.ts';
import { measureMasks } from './masks.ts';

const WORKERS = 8;
const LOCAL_STEPS = 30;
const DELTA = 1e-6;
const NOISES = [0.25, 1];
/** A small model, so that every way of joining is trained from the beginning. */
const TINY = { layers: 2, heads: 4, kvHeads: 4, headDim: 16, hiddenSize: 64, intermediateSize: 256, maxPositions: 32 };

export const groups: Command = {
  options: {
    data: { type: 'string', value: 'FILE', description: 'a text to learn; without one only masks are measured' },
    rounds: { type: 'string', value: 'N', description: `of ${LOCAL_STEPS} steps of ${WORKERS} workers (20)` },
    clip: { type: 'string', value: 'X', description: 'norm of an update at most, where there is noise (1)' },
    only: { type: 'string', value: 'TEXT', description: 'only ways of joining whose name has this in it' },
  },
  async run(values, cli) {
    const masks = [];
    for (const [members, lost, count] of [
      [8, 0, 2 ** 20],
      [8, 2, 2 ** 20],
      [32, 10, 2 ** 20],
    ] as const) {
      const figures = await measureMasks(members, lost, count);
      masks.push(figures);
      cli.print(
        `${members} members, ${lost} lost, ${count} values (${figures.bytes} bytes each): a member shares in ` +
          `${ms(figures.shareMs)} and masks in ${ms(figures.maskMs)}; the coordinator unmasks in ${ms(figures.unmaskMs)}`,
      );
    }
    const losses = values.data === undefined ? [] : await learn(string(values, 'data'), values, cli);
    cli.result({ benchmark: 'groups', masks, losses });
  },
};

async function learn(path: string, values: Parameters<Command['run']>[0], cli: Parameters<Command['run']>[1]) {
  const rounds = integer(values, 'rounds', { min: 1, max: 10_000, default: 20 });
  const clip = values.clip === undefined ? 1 : Number(string(values, 'clip'));
  const losses: { way: string; loss: number }[] = [];
  const only = string(values, 'only', '');
  for (const [way, aggregator] of ways(rounds, clip)) {
    if (!way.includes(only)) continue;
    const loss = await trained(path, rounds, aggregator, cli.signal);
    losses.push({ way, loss });
    cli.print(`${way}: ${loss.toFixed(3)} nats after ${rounds} rounds`);
  }
  return losses;
}

function ways(rounds: number, clip: number): [string, Aggregator][] {
  const downlink = { codec: 'sparse' as const, keep: DOWNLINK_KEEP };
  const back = { codec: 'sparse' as const, keep: GROUP_DOWNLINK_KEEP };
  const uplink = { codec: 'sparse' as const, keep: UPLINK_KEEP };
  const coded = { campaign: 'bench', uplink, downlink, rule: confirmedMean, outerLearningRate: 1 };
  const summed = (keep: number, change: Partial<LocalData> = {}) => {
    const data: LocalData = { mode: 'local', groupSize: WORKERS, threshold: 6, clip: 1000, ...change };
    return groupAggregator({ data, keep, downlink: back, seed: 1, random: secureRandom() });
  };
  return [
    ['FedAvg, all values as f32', fedAvg({ outerLearningRate: 1 })],
    [`public: the ${UPLINK_KEEP} largest of a block, confirmed mean`, codedAggregator(coded)],
    ...[UPLINK_KEEP, 256, 1024, BLOCK_VALUES].map((keep): [string, Aggregator] => [
      `local: ${keep} values of a block in turn, mean`,
      summed(keep),
    ]),
    [`local: all values, clip ${clip}`, summed(BLOCK_VALUES, { clip })],
    ...NOISES.map((multiplier): [string, Aggregator] => [
      `local: all values, clip ${clip}, noise ${multiplier} (epsilon ${epsilonOf({ multiplier, sums: rounds, delta: DELTA }).toFixed(1)})`,
      summed(BLOCK_VALUES, { clip, noise: { multiplier, delta: DELTA, sums: rounds } }),
    ]),
  ];
}

async function trained(path: string, rounds: number, aggregator: Aggregator, signal: AbortSignal): Promise<number> {
  const text = await readText(path);
  const opened = await openForTraining({ model: 'nano-char', text, seed: 0 }, signal);
  const config = { ...opened.config, ...TINY };
  const engine = createNodeEngine({ threads: 1 });
  const total = rounds * LOCAL_STEPS;
  let loss = Number.NaN;
  try {
    await train(
      {
        ...{ engine, config, corpus: textCorpus(opened.corpus), aggregator, seed: 0 },
        ...{ weights: memoryStore(parametersOf(config), initialiser(0)), shape: { batch: 8, sequence: 32 } },
        ...{ workers: WORKERS, rounds, localSteps: LOCAL_STEPS, optimiser: adamW(ADAMW) },
        ...{ schedule: { peak: 1e-3, floor: 1e-4, warmup: 30, total }, maxGradientNorm: MAX_GRADIENT_NORM },
        ...{ evaluateEvery: 0, evaluationBatches: 100 },
      },
      (event) => {
        if (event.kind === 'evaluation') loss = event.loss;
      },
      signal,
    );
  } finally {
    await engine.close();
  }
  return loss;
}

function ms(value: number): string {
  return `${value.toFixed(value < 10 ? 1 : 0)} ms`;
}
