/**
 * `npm run bench -- attacks`: what liars among the workers of a campaign cost it, and what they earn. The workers, the
 * validation, the joining and the reward rule are those of a campaign; only sockets and the ledger are left out.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hexToBytes } from '@noble/hashes/utils.js';
import { CampaignFolder } from '../../server/campaigns/folder.ts';
import { joinRound } from '../../server/campaigns/join.ts';
import { measureCohort, shardOf } from '../../server/campaigns/measure.ts';
import { receiptOfUnit } from '../../server/campaigns/receipt.ts';
import type { CampaignState, Unit } from '../../server/campaigns/state.ts';
import { created, tick } from '../../server/campaigns/tick.ts';
import { examine, keep } from '../../server/campaigns/upload.ts';
import { verdictsOf } from '../../server/campaigns/verdicts.ts';
import { type Cli, type Command, integer, string } from '../../server/cli.ts';
import { createNodeEngine } from '../../server/runtime/node-engine.ts';
import { openForTraining, readText } from '../../server/train/open.ts';
import { defaultGenesis } from '../../shared/ledger/genesis.ts';
import { formatAlc } from '../../shared/ledger/money.ts';
import { trainingReward } from '../../shared/ledger/rewards.ts';
import { seededRandom } from '../../shared/sampler/random.ts';
import { type Campaign, formatsOf, modelOf, parseCampaign } from '../../shared/train/campaign/campaign.ts';
import { CampaignWorker } from '../../shared/train/campaign/worker.ts';
import { randomBatch, splitCorpus } from '../../shared/train/data.ts';
import { Evaluator } from '../../shared/train/evaluator.ts';
import { flatStore, hashOfValues, spaceOf } from '../../shared/train/flat.ts';
import { configJson } from '../../shared/train/hugging-face.ts';
import { initialiser } from '../../shared/train/initialise.ts';
import { parametersOf } from '../../shared/train/model/model.ts';
import { PRESETS } from '../../shared/train/presets.ts';
import { memoryStore } from '../../shared/train/store.ts';
import { ATTACKS, type Attack, forge } from './attackers.ts';

const WORKERS = 8;
/** An attacker works like the others for so many rounds, to have something to send again. */
const HONEST_ROUNDS = 1;
const [EVALUATION_SEED, EVALUATION_BATCHES] = [1337, 200];

export const attacks: Command = {
  options: {
    data: { type: 'string', value: 'FILE', description: 'the text (required)' },
    rounds: { type: 'string', value: 'R', description: 'rounds of each run (20)' },
    'local-steps': { type: 'string', value: 'H', description: 'steps of a round (30)' },
    attack: { type: 'string', value: 'KIND', description: `only this: ${ATTACKS.join(', ')}` },
    liars: { type: 'string', value: 'N', description: `only so many of ${WORKERS} (1, 2 and 3)` },
  },

  async run(values, cli) {
    const rounds = integer(values, 'rounds', { min: 2, max: 1000, default: 20 });
    const localSteps = integer(values, 'local-steps', { min: 1, max: 1000, default: 30 });
    const world = await openWorld(await readText(string(values, 'data')), { rounds, localSteps }, cli.signal);
    const kinds = values.attack === undefined ? ATTACKS : ATTACKS.filter((kind) => kind === values.attack);
    const numbers = values.liars === undefined ? [1, 2, 3] : [integer(values, 'liars', { min: 1, max: 7, default: 1 })];
    try {
      const honest = await run(world, 0, undefined, cli);
      cli.print(
        `honest: loss ${honest.loss.toFixed(4)}, each worker earns ${alc(honest.honestMicroAlc / BigInt(WORKERS))}`,
      );
      const table: object[] = [];
      for (const attack of kinds) {
        for (const liars of numbers) {
          const outcome = await run(world, liars, attack, cli);
          const costPercent = Number((100 * (outcome.loss / honest.loss - 1)).toFixed(2));
          const earned = { liarMicroAlc: String(outcome.liarMicroAlc), honestMicroAlc: String(outcome.honestMicroAlc) };
          const { refused, accused } = outcome;
          table.push({
            attack,
            liars,
            loss: Number(outcome.loss.toFixed(4)),
            costPercent,
            ...earned,
            refused,
            accused,
          });
          cli.print(
            `${attack} ${liars}/${WORKERS}: loss ${outcome.loss.toFixed(4)} (${costPercent} %), liars earn ` +
              `${alc(outcome.liarMicroAlc)}, refused ${refused} of ${liars * (rounds - HONEST_ROUNDS)}, honest refused ${accused}`,
          );
        }
      }
      cli.result({ benchmark: 'attacks', rounds, localSteps, workers: WORKERS, honest: honest.loss, table });
    } finally {
      await rm(world.template, { recursive: true, force: true });
    }
  },
};

interface World {
  campaign: Campaign;
  template: string;
  corpus: Int32Array;
  validation: Int32Array;
}

async function openWorld(text: string, steps: { rounds: number; localSteps: number }, signal: AbortSignal) {
  const opened = await openForTraining({ model: 'nano-char', text, seed: 1 }, signal);
  const config = { ...PRESETS['nano-char'], vocabSize: opened.config.vocabSize, layers: 2, heads: 2, hiddenSize: 64 };
  const model = { ...config, headDim: 32, intermediateSize: 256, maxPositions: 32 };
  const shape = { batch: 8, sequence: 32 };
  const { training, validation } = splitCorpus(opened.corpus, 0.9, shape);
  const total = steps.rounds * steps.localSteps;
  const campaign = parseCampaign({
    ...{ format: 'ailo/campaign/v1', id: 'attacked', model: configJson(model), ...steps, ...shape, seed: 1 },
    ...{ data: { mode: 'public', shards: WORKERS, shardTokens: Math.floor(training.length / WORKERS) } },
    ...{
      schedule: { peak: 1e-3, floor: 1e-4, warmup: Math.min(50, total), total },
      weightDecay: 0.1,
      maxGradientNorm: 1,
    },
    ...{ uplinkKeep: 64, downlinkKeep: 256, aggregator: 'confirmed', outerLearningRate: 1 },
    ...{ minWorkers: WORKERS, maxWorkers: WORKERS, quorumPermille: 1000, graceMs: 1000, roundTimeoutMs: 1_000_000 },
  });
  const template = await mkdtemp(join(tmpdir(), 'ailo-attacks-'));
  return { campaign, template, corpus: training, validation };
}

/** One campaign from its beginning to its end; the first `liars` workers attack. */
async function run(world: World, liars: number, attack: Attack | undefined, cli: Cli) {
  const { campaign, template, corpus, validation } = world;
  const config = modelOf(campaign);
  const folder = new CampaignFolder(await mkdtemp(join(template, 'run-')));
  const weights = memoryStore(parametersOf(config), initialiser(campaign.seed));
  await folder.create(campaign, { training: corpus, validation, weights, tokenizer: {} });
  const start = await folder.firstWeights();
  let state = created({ kind: 'created', campaign, weights: start });
  const engine = createNodeEngine({ threads: 1 });
  const workers = new Map<string, CampaignWorker>();
  const firsts = new Map<string, Uint8Array>();
  const first = new Uint8Array(await readFile(folder.weights(0)));
  for (let i = 0; i < WORKERS; i++) {
    const worker = await CampaignWorker.create(createNodeEngine({ threads: 1 }), campaign);
    await worker.adopt(first, start);
    workers.set(walletOf(i), worker);
    state = tick(state, { kind: 'joined', wallet: walletOf(i) }, 0).state;
  }
  const isLiar = (wallet: string) => attack !== undefined && [...workers.keys()].indexOf(wallet) < liars;
  const outcome = { loss: Number.NaN, liarMicroAlc: 0n, honestMicroAlc: 0n, refused: 0, accused: 0 };
  try {
    while (state.phase !== 'finished' && !cli.signal.aborted) {
      const units = [...state.units.values()].filter(({ round }) => round === state.round);
      const sent = await cohortOf(world, workers, units);
      for (const [at, unit] of units.entries()) {
        let bytes = sent[at]!;
        if (!firsts.has(unit.wallet)) firsts.set(unit.wallet, bytes);
        if (isLiar(unit.wallet) && state.round >= HONEST_ROUNDS) {
          bytes = await lie(attack!, campaign, unit, {
            bytes,
            neighbour: sent.at(at - 1)!,
            first: firsts.get(unit.wallet)!,
          });
        }
        const examined = await examine(campaign, unit, bytes);
        await keep(folder, unit.id, bytes);
        // Liars are the last: who copies has to see what is copied.
        const arrivedMs = 600_000 + Number(isLiar(unit.wallet)) * 1000 + at;
        const update = { hash: hashOf(bytes), bytes: bytes.length, ...examined, arrivedMs };
        state = tick(state, { kind: 'submitted', unit: unit.id, update }, arrivedMs).state;
      }
      state = await finishRound(state, folder, engine, workers, (unit, reason) => {
        if (reason !== undefined) {
          if (isLiar(unit.wallet) && unit.round >= HONEST_ROUNDS) outcome.refused++;
          else outcome.accused++;
          return;
        }
        const reward = trainingReward(GENESIS, receiptOfUnit(campaign, unit), 1_000_000);
        if (isLiar(unit.wallet) && unit.round >= HONEST_ROUNDS) outcome.liarMicroAlc += reward;
        else outcome.honestMicroAlc += reward;
      });
    }
    outcome.loss = await finalLoss(folder, state, world);
    return outcome;
  } finally {
    for (const worker of workers.values()) await worker.release();
    await engine.close();
    await rm(folder.path, { recursive: true, force: true });
  }
}

const GENESIS = defaultGenesis(new Uint8Array(32), 'bench', 0);

async function cohortOf({ campaign, corpus }: World, workers: Map<string, CampaignWorker>, units: Unit[]) {
  const sent: Uint8Array[] = [];
  for (const { id, wallet, round, shard, seed } of units) {
    sent.push(await workers.get(wallet)!.work({ unit: id, round, seed }, shardOf(campaign, corpus, shard)));
  }
  return sent;
}

function lie(
  attack: Attack,
  campaign: Campaign,
  { id, round, start, seed }: Unit,
  { bytes, neighbour, first }: { bytes: Uint8Array; neighbour: Uint8Array; first: Uint8Array },
): Promise<Uint8Array> {
  const header = { campaign: campaign.id, round, unit: hexToBytes(id), start: hexToBytes(start) };
  const space = spaceOf(parametersOf(modelOf(campaign)));
  const format = formatsOf(campaign).uplink;
  return forge(attack, { header, space, format, honest: bytes, neighbour, first, seed });
}

/** Judges and joins as the coordinator does, and takes the workers along. */
async function finishRound(
  state: CampaignState,
  folder: CampaignFolder,
  engine: Parameters<typeof measureCohort>[0],
  workers: Map<string, CampaignWorker>,
  tell: (unit: Unit, reason?: string) => void,
): Promise<CampaignState> {
  const { campaign, round, weights: start } = state;
  const units = [...state.units.values()].filter(({ status }) => status === 'submitted');
  const earlier = [...state.units.values()].filter(({ status }) => status === 'accepted');
  const measured = await measureCohort(engine, folder, campaign, { round, units, earlier });
  const judged = tick(state, { kind: 'judged', verdicts: verdictsOf(measured) }, 700_000);
  for (const effect of judged.effects) {
    if (effect.kind === 'refuse') {
      tell(effect.unit, effect.unit.reason ?? '');
      await workers.get(effect.unit.wallet)!.settle(false);
    }
  }
  const joining = judged.effects.find((effect) => effect.kind === 'aggregate');
  // A round that nobody's update survives is begun anew.
  if (!joining) return judged.state;
  const joined = await joinRound(folder, campaign, { round, start }, joining.units);
  const next = tick(judged.state, { kind: 'aggregated', ...joined }, 700_000);
  for (const effect of next.effects) if (effect.kind === 'pay') tell(effect.unit);
  const delta = new Uint8Array(await readFile(folder.delta(round)));
  for (const worker of workers.values()) {
    await worker.settle(true);
    await worker.advance(delta, joined.weights);
  }
  await folder.tidy(next.state.round, new Set(next.state.units.keys()));
  return next.state;
}

/** On fixed batches of the validation text. */
async function finalLoss(folder: CampaignFolder, { round }: CampaignState, { campaign, validation }: World) {
  const config = modelOf(campaign);
  const engine = createNodeEngine({ threads: 1 });
  const evaluator = await Evaluator.create(engine, config, campaign);
  const bytes = await readFile(folder.weights(round));
  const weights = flatStore(new Float32Array(new Uint8Array(bytes).buffer), parametersOf(config));
  const random = seededRandom(EVALUATION_SEED);
  const batches = Array.from({ length: EVALUATION_BATCHES }, () => randomBatch(validation, campaign, random));
  const { loss } = await evaluator.evaluate(weights, batches);
  await engine.close();
  return loss;
}

const walletOf = (i: number) => `worker-${i}`;
const hashOf = (bytes: Uint8Array) => hashOfValues(Float32Array.from(bytes));
const alc = (microAlc: bigint) => `${formatAlc(microAlc)} ALC`;
