/**
 * The training side of a node: takes units of a campaign, learns on them here, hands in what it found, and follows the
 * canonical weights from round to round.
 */
import { sha256Hex } from '../bytes/sha256.ts';
import { AiloError, toAiloError, type WireError } from '../errors/index.ts';
import { readParts } from '../model/parts.ts';
import { httpSource } from '../model/source.ts';
import { paths } from '../protocol/http.ts';
import type { FromCoordinator, FromNode } from '../protocol/messages.ts';
import type { Schedule } from '../protocol/schedule.ts';
import { type Campaign, parseCampaign, publicDataOf } from '../train/campaign/campaign.ts';
import { MAX_CAMPAIGN_BYTES } from '../train/campaign/limits.ts';
import type { CampaignMode } from '../train/campaign/modes.ts';
import type { Learner } from '../train/campaign/worker.ts';
import { secureRandom } from '../train/group/noise.ts';
import type { Wallet } from '../wallet/wallet.ts';
import { createGroupSide, type GroupSide } from './group-side.ts';
import { handIn } from './hand-in.ts';
import { MAX_DELTA_BYTES, UPLOAD_RETRY_MS } from './limits.ts';
import { type LocalTexts, localTokens, requireUnspent } from './local-texts.ts';
import type { Log } from './log.ts';
import type { Training } from './types.ts';

/** The coordinator's last word on a unit. */
const OVER = new Set(['UNIT_UNKNOWN', 'UNIT_CLOSED', 'UNIT_CONFLICT', 'UPDATE_INVALID', 'CAMPAIGN_UNKNOWN']);

/** Where nothing may be learned from. */
const NO_TEXTS: LocalTexts = { read: async () => [], roundsOf: async () => 0, note: async () => {} };

/** Why this machine cannot train at all. */
const HOPELESS = new Set([
  ...['MEMORY_BUDGET_EXCEEDED', 'DISK_BUDGET_EXCEEDED', 'ENGINE_UNAVAILABLE', 'CAMPAIGN_INVALID', 'CONFIG_INVALID'],
  ...[
    'LOCAL_TEXT_MISSING',
    'TEXT_FILE_INVALID',
    'LOCAL_TEXT_SPENT',
    'TRAINING_TOKEN_UNKNOWN',
    'TRAINING_DATA_TOO_SHORT',
  ],
]);

export interface TrainerOptions {
  url: string;
  wallet: Wallet;
  fetch: typeof fetch;
  /** What a campaign of local texts learns from; absent where there is nothing of the kind. */
  texts?: LocalTexts;
  /** Called for each campaign that a unit comes of. */
  createLearner(campaign: Campaign): Promise<Learner>;
  networkId(): string | undefined;
  isOpen(): boolean;
  send<T extends 'train' | 'trainNoMore' | 'groupKeys' | 'groupShared' | 'groupAgreed' | 'groupRevealed'>(
    type: T,
    body: FromNode[T],
  ): void;
  schedule: Schedule;
  log: Log;
  onChange(training: Training): void;
  onError(error: AiloError): void;
}

export interface TrainerSide extends Omit<GroupSide, 'forget'> {
  /** A campaign's id, or true for any of the mode; false to stop. */
  train(wanted: string | boolean, mode?: CampaignMode): void;
  onOpen(): void;
  unit(body: FromCoordinator['unit']): void;
  unitRefused(body: FromCoordinator['unitRefused']): void;
  round(body: FromCoordinator['round']): void;
  /** Our `train` was refused. */
  refused(error: WireError): void;
  /** Frees everything. */
  release(): Promise<void>;
}

export function createTrainer(options: TrainerOptions): TrainerSide {
  const { url, fetch, log, send } = options;
  const source = httpSource({ fetch, urlOf: (path) => new URL(path, url).href });
  let wanted: string | boolean = false;
  let mode: CampaignMode = 'public';
  let worker: Learner | undefined;
  /** Shards that were learned on, by number. */
  let shards = new Map<number, Int32Array>();
  let cancel = new AbortController();
  /** The unit that is worked on or waits to be judged. */
  let unitId: string | undefined;
  /** The newest update, in case it has to be handed in again: made anew it would be another. */
  let made: { unit: string; update: Uint8Array } | undefined;
  /** Units and rounds, in order. Never rejects. */
  let work: Promise<void> = Promise.resolve();

  const then = (step: () => Promise<void>) => {
    const { signal } = cancel;
    work = work.then(async () => {
      if (signal.aborted) return;
      try {
        await step();
      } catch (thrown) {
        if (!signal.aborted) options.onError(toAiloError(thrown));
      }
    });
    return work;
  };

  async function workerFor(id: string): Promise<Learner> {
    if (worker?.campaign.id === id) return worker;
    await worker?.release();
    worker = undefined;
    shards = new Map();
    worker = await options.createLearner(await readCampaign(id));
    return worker;
  }

  async function readCampaign(id: string): Promise<Campaign> {
    if (worker?.campaign.id === id) return worker.campaign;
    const bytes = await source.readFile(paths.campaign(id), MAX_CAMPAIGN_BYTES, cancel.signal);
    return parseCampaign(JSON.parse(new TextDecoder().decode(bytes)));
  }

  /** Nobody's own texts are learned from in a mode that he did not choose. */
  const groups = createGroupSide({
    ...options,
    async campaignOf(id) {
      const campaign = await readCampaign(id);
      if (mode !== 'local' || wanted === false) throw AiloError.of('CAMPAIGN_MODE', { campaign: id, mode: 'local' });
      return campaign;
    },
    contribute: (brief, mask) =>
      then(async () => {
        if (wanted !== false && mode === 'local') await tryTo(() => learnFromOwn(brief, mask));
      }),
  });

  async function shardOf(campaign: Campaign, shard: number): Promise<Int32Array> {
    const known = shards.get(shard);
    if (known) return known;
    const bytes = await source.readFile(
      paths.shard(campaign.id, shard),
      4 * publicDataOf(campaign).shardTokens,
      cancel.signal,
    );
    const tokens = new Int32Array(bytes.slice().buffer);
    shards.set(shard, tokens);
    return tokens;
  }

  /** Which weights are right is the coordinator's to say; that they are those is checked. */
  async function follow(mine: Learner, round: number, hash: string) {
    if (mine.weightsHash === hash) return;
    const path = paths.weights(mine.campaign.id, round);
    await mine.adopt(readParts(source, { path, bytes: mine.weightsBytes }, cancel.signal), hash);
  }

  /** Learns on `text`, unless it did before, and hands in what `finish` makes of it. */
  async function learn(
    { campaign: id, unit, round, start }: Pick<FromCoordinator['unit'], 'campaign' | 'unit' | 'round' | 'start'>,
    text: (campaign: Campaign) => Promise<{ tokens: Int32Array; seed: number }>,
    finish: (update: Uint8Array) => Promise<Uint8Array> = async (update) => update,
  ) {
    options.onChange({ kind: 'preparing', campaign: id, round });
    const mine = await workerFor(id);
    const { localSteps: steps, rounds } = mine.campaign;
    const common = { campaign: id, round, rounds, steps };
    if (made?.unit !== unit) {
      await follow(mine, round, start);
      const { tokens, seed } = await text(mine.campaign);
      options.onChange({ kind: 'learning', ...common, step: 0 });
      const update = await mine.work({ unit, round, seed }, tokens, {
        onStep: ({ step, loss }) => options.onChange({ kind: 'learning', ...common, step, loss }),
        signal: cancel.signal,
      });
      made = { unit, update: await finish(update) };
    }
    options.onChange({ kind: 'sending', ...common, bytes: made.update.length });
    await handIn(options, { campaign: id, ...made }, cancel.signal);
    wait();
  }

  function learnFromShard(body: FromCoordinator['unit']): Promise<void> {
    return learn(body, async (campaign) => ({ tokens: await shardOf(campaign, body.shard), seed: body.seed }));
  }

  function learnFromOwn(brief: FromCoordinator['group'], mask: (values: Int32Array) => Promise<Uint8Array>) {
    const { texts = NO_TEXTS } = options;
    const { campaign: id, round } = brief;
    const tokenizer = httpSource({ fetch, urlOf: (file) => new URL(paths.campaignFile(id, file), url).href });
    return learn(
      brief,
      async (campaign) => {
        await requireUnspent(texts, campaign);
        // Which sequences are learned from is for nobody else to choose.
        return { tokens: await localTokens(texts, campaign, tokenizer, cancel.signal), seed: secureRandom()() };
      },
      async (steps) => {
        await texts.note(id, round);
        return mask(new Int32Array(steps.slice().buffer));
      },
    );
  }

  /** What failed is asked for again: the coordinator names the unit once more while it is open. */
  async function tryTo(work: () => Promise<void>) {
    try {
      await work();
    } catch (thrown) {
      unitId = undefined;
      const { code } = toAiloError(thrown);
      // Only what the coordinator itself refuses is over.
      if (OVER.has(code)) await worker?.settle(false);
      if (HOPELESS.has(code)) giveUp(toAiloError(thrown));
      else if (wanted === false) options.onChange({ kind: 'off' });
      else {
        if (!OVER.has(code) && !cancel.signal.aborted) options.schedule(ask, UPLOAD_RETRY_MS);
        wait();
      }
      throw thrown;
    }
  }

  async function advance({ campaign: id, round, weights, delta }: FromCoordinator['round']) {
    if (worker?.campaign.id !== id || worker.weightsHash === weights) return;
    await worker.settle(true);
    const bytes = await source.readFile(paths.delta(id, round), MAX_DELTA_BYTES, cancel.signal);
    if ((await sha256Hex(bytes)) !== delta) throw AiloError.of('UPDATE_INVALID', { reason: 'its hash is another' });
    try {
      await worker.advance(bytes, weights);
    } catch (error) {
      // It had missed a round: the whole weights are fetched instead.
      log.info({ round, cause: error }, 'the delta does not fit');
      await follow(worker, round + 1, weights);
    }
    log.info({ round, weights }, 'the weights of the next round are here');
    wait();
  }

  /** Nobody waits for what will not come. */
  function giveUp(error: AiloError) {
    wanted = false;
    if (options.isOpen()) send('trainNoMore', {});
    options.onChange({ kind: 'off', error: error.toWire() });
  }

  function wait() {
    const weights = worker?.weightsHash;
    options.onChange({ kind: 'waiting', ...(worker && weights && { campaign: worker.campaign.id, weights }) });
  }

  function ask() {
    if (wanted === false || !options.isOpen()) return;
    send('train', {
      ...(typeof wanted === 'string' && { campaign: wanted }),
      ...(mode === 'local' && { mode }),
    });
  }

  async function free() {
    const freed = worker;
    worker = undefined;
    shards = new Map();
    await freed?.release().catch((cause) => log.warn({ cause }, 'what trained could not be freed'));
  }

  function stop() {
    cancel.abort();
    unitId = undefined;
    groups.forget();
    cancel = new AbortController();
    // Its memory is free then, and with it goes what it had learned and not sent.
    work = work.then(free);
    options.onChange({ kind: 'off' });
  }

  return {
    ...groups,
    train(next, nextMode = 'public') {
      if (next === wanted && (next === false || nextMode === mode)) return;
      // What was begun in the other mode is not gone on with.
      if (wanted !== false && nextMode !== mode) {
        if (options.isOpen()) send('trainNoMore', {});
        stop();
      }
      wanted = next;
      mode = nextMode;
      if (next === false) {
        if (options.isOpen()) send('trainNoMore', {});
        stop();
      } else {
        wait();
        ask();
      }
    },
    onOpen: ask,
    unit(body) {
      // After a reconnection the coordinator names the unit again that is being worked on.
      if (wanted === false || unitId === body.unit) return;
      unitId = body.unit;
      void then(() => tryTo(() => learnFromShard(body)));
    },
    unitRefused({ error, unit }) {
      log.warn({ unit, code: error.code }, error.message);
      groups.forget(unit);
      void then(async () => worker?.settle(false));
      options.onError(AiloError.fromWire(error));
    },
    round: (body) => void then(() => advance(body)),
    refused(error) {
      wanted = false;
      options.onChange({ kind: 'off', error });
      options.onError(AiloError.fromWire(error));
    },
    async release() {
      cancel.abort();
      await work;
      cancel = new AbortController();
      await free();
    },
  };
}
