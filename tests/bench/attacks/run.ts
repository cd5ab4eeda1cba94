/**
 * One campaign from its beginning to its end, with liars. The workers, the validation, the joining and the reward rule
 * are those of a campaign; only sockets and the ledger are left out.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CampaignFolder } from '../../../server/campaigns/folder.ts';
import { joinRound } from '../../../server/campaigns/join.ts';
import { CohortMeter } from '../../../server/campaigns/measure.ts';
import { receiptOfUnit } from '../../../server/campaigns/receipt.ts';
import { shardOf } from '../../../server/campaigns/samples.ts';
import type { CampaignState, Unit } from '../../../server/campaigns/state.ts';
import { cohort, cohortOf, created, tick } from '../../../server/campaigns/tick.ts';
import { examine } from '../../../server/campaigns/upload.ts';
import { type Measured, verdictsOf } from '../../../server/campaigns/verdicts.ts';
import { createNodeEngine } from '../../../server/runtime/node-engine.ts';
import { type Attack, forge } from '../../../server/train/attackers.ts';
import { writeDurably } from '../../../server/write-durably.ts';
import { sha256Hex } from '../../../shared/bytes/sha256.ts';
import { defaultGenesis } from '../../../shared/ledger/genesis.ts';
import { trainingReward } from '../../../shared/ledger/rewards.ts';
import { formatsOf, modelOf } from '../../../shared/train/campaign/campaign.ts';
import { CampaignWorker } from '../../../shared/train/campaign/worker.ts';
import { spaceOf } from '../../../shared/train/flat.ts';
import { initialiser } from '../../../shared/train/initialise.ts';
import { parametersOf } from '../../../shared/train/model/model.ts';
import { memoryStore } from '../../../shared/train/store.ts';
import { finalLoss, type World } from './world.ts';

/** An attacker works like the others for so many rounds, to have something to send again. */
export const HONEST_ROUNDS = 1;
const GENESIS = defaultGenesis(new Uint8Array(32), 'bench', 0);
const ISSUANCE_PPM = 1_000_000;
const [TRAINED_MS, JUDGED_MS] = [600_000, 700_000];

export interface Outcome {
  loss: number;
  liarMicroAlc: bigint;
  honestMicroAlc: bigint;
  /** Lies that were refused, by reason. */
  refused: Record<string, number>;
  /** Honest updates that were refused, by reason. */
  accused: Record<string, number>;
  /** What was measured of each update, and whether it was a lie. */
  measured: (Measured & { round: number; lie: boolean })[];
}

/** The first `liars` workers attack. */
export async function runCampaign(
  world: World,
  liars: number,
  attack: Attack | undefined,
  signal: AbortSignal,
): Promise<Outcome> {
  const folder = new CampaignFolder(await mkdtemp(join(world.folder, 'run-')));
  const run = await Run.begin(world, folder, liars, attack);
  try {
    while (!run.finished && !signal.aborted) await run.round();
    return { ...run.outcome, loss: await finalLoss(world, folder, run.state.round) };
  } finally {
    await run.release();
    await rm(folder.path, { recursive: true, force: true });
  }
}

class Run {
  state: CampaignState;
  readonly outcome: Outcome = {
    ...{ loss: Number.NaN, liarMicroAlc: 0n, honestMicroAlc: 0n },
    ...{ refused: {}, accused: {}, measured: [] },
  };
  readonly #world: World;
  readonly #folder: CampaignFolder;
  readonly #attack: Attack | undefined;
  readonly #liars: ReadonlySet<string>;
  readonly #meter: CohortMeter;
  readonly #workers = new Map<string, CampaignWorker>();
  /** What each worker sent first. */
  readonly #firsts = new Map<string, Uint8Array>();

  private constructor(
    world: World,
    folder: CampaignFolder,
    start: { state: CampaignState; meter: CohortMeter },
    lies: { attack: Attack | undefined; liars: ReadonlySet<string> },
  ) {
    this.#world = world;
    this.#folder = folder;
    this.state = start.state;
    this.#meter = start.meter;
    this.#attack = lies.attack;
    this.#liars = lies.liars;
  }

  static async begin(world: World, folder: CampaignFolder, liars: number, attack: Attack | undefined): Promise<Run> {
    const { campaign, training, validation } = world;
    const weights = memoryStore(parametersOf(modelOf(campaign)), initialiser(campaign.seed));
    await folder.create(campaign, { training, validation, weights, tokenizer: {} });
    const hash = await folder.firstWeights();
    const state = created({ kind: 'created', campaign, weights: hash });
    const meter = await CohortMeter.open(createNodeEngine({ threads: 1 }), folder, campaign);
    const wallets = Array.from({ length: campaign.minWorkers }, (_, i) => `worker-${i}`);
    const lies = { attack, liars: new Set(attack === undefined ? [] : wallets.slice(0, liars)) };
    const run = new Run(world, folder, { state, meter }, lies);
    const first = new Uint8Array(await readFile(folder.weights(0)));
    for (const wallet of wallets) {
      const worker = await CampaignWorker.create(createNodeEngine({ threads: 1 }), campaign);
      await worker.adopt([first], hash);
      run.#workers.set(wallet, worker);
      run.state = tick(run.state, { kind: 'joined', wallet }, 0).state;
    }
    return run;
  }

  get finished(): boolean {
    return this.state.phase === 'finished';
  }

  async round(): Promise<void> {
    await this.#handIn();
    const { state } = this;
    const units = cohort(state);
    const measured = await this.#meter.measure(cohortOf(state, units));
    for (const [i, unit] of units.entries()) {
      this.outcome.measured.push({ ...measured[i]!, round: state.round, lie: this.#lies(unit) });
    }
    const judged = tick(state, { kind: 'judged', verdicts: verdictsOf(measured, state.diligence) }, JUDGED_MS);
    this.state = judged.state;
    for (const effect of judged.effects) if (effect.kind === 'refuse') await this.#refused(effect.unit);
    const joining = judged.effects.find((effect) => effect.kind === 'aggregate');
    // A round that nobody's update survives is begun anew.
    if (joining) await this.#join(joining.units);
  }

  async release(): Promise<void> {
    for (const worker of this.#workers.values()) await worker.release();
    await this.#meter.release();
  }

  async #handIn(): Promise<void> {
    const { campaign, training } = this.#world;
    const units = [...this.state.units.values()].filter(({ status }) => status === 'assigned');
    const honest: Uint8Array[] = [];
    for (const { id, wallet, round, shard, seed } of units) {
      const worker = this.#workers.get(wallet)!;
      honest.push(await worker.work({ unit: id, round, seed }, shardOf(campaign, training, shard)));
    }
    for (const [at, unit] of units.entries()) {
      const own = honest[at]!;
      if (!this.#firsts.has(unit.wallet)) this.#firsts.set(unit.wallet, own);
      const lies = this.#lies(unit);
      const bytes = lies ? await this.#forge(unit, own, honest.at(-1)!) : own;
      const examined = await examine(campaign, unit, bytes);
      await writeDurably(this.#folder.update(unit.id), bytes);
      // Liars are the last: who copies has to see what is copied.
      const arrivedMs = TRAINED_MS + Number(lies) * 1000 + at;
      const update = { hash: await sha256Hex(bytes), bytes: bytes.length, ...examined, arrivedMs };
      this.state = tick(this.state, { kind: 'submitted', unit: unit.id, update }, arrivedMs).state;
    }
  }

  async #forge({ wallet, seed }: Unit, honest: Uint8Array, neighbour: Uint8Array) {
    const { campaign } = this.#world;
    const published = new Uint8Array(await readFile(this.#folder.delta(this.state.round - 1)));
    return forge(this.#attack!, {
      space: spaceOf(parametersOf(modelOf(campaign))),
      ...formatsOf(campaign),
      ...{ honest, neighbour, first: this.#firsts.get(wallet)!, published, seed },
    });
  }

  async #join(units: Parameters<typeof joinRound>[3]): Promise<void> {
    const { campaign } = this.#world;
    const { round, weights: start } = this.state;
    const joined = await joinRound(this.#folder, campaign, { round, start }, units);
    const next = tick(this.state, { kind: 'aggregated', ...joined }, JUDGED_MS);
    this.state = next.state;
    for (const effect of next.effects) if (effect.kind === 'pay') this.#paid(effect.unit);
    const delta = new Uint8Array(await readFile(this.#folder.delta(round)));
    for (const worker of this.#workers.values()) {
      await worker.settle(true);
      await worker.advance(delta, joined.weights);
    }
    await this.#folder.tidy(next.state.round, new Set(next.state.units.keys()));
  }

  async #refused(unit: Unit): Promise<void> {
    const reasons = this.#lies(unit) ? this.outcome.refused : this.outcome.accused;
    reasons[unit.reason!] = (reasons[unit.reason!] ?? 0) + 1;
    await this.#workers.get(unit.wallet)!.settle(false);
  }

  #paid(unit: Unit): void {
    const reward = trainingReward(GENESIS, receiptOfUnit(this.#world.campaign, unit), ISSUANCE_PPM);
    if (this.#lies(unit)) this.outcome.liarMicroAlc += reward;
    else this.outcome.honestMicroAlc += reward;
  }

  #lies({ wallet, round }: Unit): boolean {
    return this.#liars.has(wallet) && round >= HONEST_ROUNDS;
  }
}
