/**
 * The training side of a node: takes units of a campaign, learns on them here, hands in what it found, and follows the
 * canonical weights from round to round.
 */
import { bytesToHex } from '@noble/hashes/utils.js';
import { sha256Hex } from '../bytes/sha256.ts';
import { AiloError, toAiloError, type WireError } from '../errors/index.ts';
import { httpSource } from '../model/source.ts';
import { paths, UPLOAD_HEADERS } from '../protocol/http.ts';
import type { FromCoordinator, FromNode } from '../protocol/messages.ts';
import type { Schedule } from '../protocol/schedule.ts';
import { type Campaign, parseCampaign } from '../train/campaign/campaign.ts';
import { MAX_CAMPAIGN_BYTES } from '../train/campaign/limits.ts';
import { uploadBytes } from '../train/campaign/upload.ts';
import type { Learner } from '../train/campaign/worker.ts';
import type { Wallet } from '../wallet/wallet.ts';
import { MAX_DELTA_BYTES, UPLOAD_ATTEMPTS, UPLOAD_RETRY_MS } from './limits.ts';
import type { Log } from './log.ts';
import type { Training } from './types.ts';

/** The coordinator's last word on a unit. */
const OVER = new Set(['UNIT_UNKNOWN', 'UNIT_CLOSED', 'UNIT_CONFLICT', 'UPDATE_INVALID', 'CAMPAIGN_UNKNOWN']);

/** Why this machine cannot train at all. */
const HOPELESS = new Set(['MEMORY_BUDGET_EXCEEDED', 'ENGINE_UNAVAILABLE', 'CAMPAIGN_INVALID', 'CONFIG_INVALID']);

export interface TrainerOptions {
  url: string;
  wallet: Wallet;
  fetch: typeof fetch;
  /** Called for each campaign that a unit comes of. */
  createLearner(campaign: Campaign): Promise<Learner>;
  networkId(): string | undefined;
  isOpen(): boolean;
  send<T extends 'train' | 'trainNoMore'>(type: T, body: FromNode[T]): void;
  schedule: Schedule;
  log: Log;
  onChange(training: Training): void;
  onError(error: AiloError): void;
}

export interface TrainerSide {
  /** A campaign's id, or true for any; false to stop. */
  train(wanted: string | boolean): void;
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
  const { url, wallet, fetch, log, send } = options;
  const source = httpSource({ fetch, urlOf: (path) => new URL(path, url).href });
  let wanted: string | boolean = false;
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
    const bytes = await source.readFile(paths.campaign(id), MAX_CAMPAIGN_BYTES, cancel.signal);
    const campaign = parseCampaign(JSON.parse(new TextDecoder().decode(bytes)));
    worker = await options.createLearner(campaign);
    return worker;
  }

  async function shardOf({ id, data }: Campaign, shard: number): Promise<Int32Array> {
    const known = shards.get(shard);
    if (known) return known;
    const bytes = await source.readFile(paths.shard(id, shard), 4 * data.shardTokens, cancel.signal);
    const tokens = new Int32Array(bytes.slice().buffer);
    shards.set(shard, tokens);
    return tokens;
  }

  /** Which weights are right is the coordinator's to say; that they are those is checked. */
  async function follow(mine: Learner, round: number, hash: string) {
    if (mine.weightsHash === hash) return;
    const path = paths.weights(mine.campaign.id, round);
    await mine.adopt(await source.readFile(path, mine.weightsBytes, cancel.signal), hash);
  }

  async function learn(body: FromCoordinator['unit']) {
    const { campaign: id, unit, round, start, shard, seed } = body;
    options.onChange({ kind: 'preparing', campaign: id, round });
    const mine = await workerFor(id);
    const { localSteps: steps, rounds } = mine.campaign;
    const common = { campaign: id, round, rounds, steps };
    if (made?.unit !== unit) {
      await follow(mine, round, start);
      const tokens = await shardOf(mine.campaign, shard);
      options.onChange({ kind: 'learning', ...common, step: 0 });
      const update = await mine.work({ unit, round, seed }, tokens, {
        onStep: ({ step, loss }) => options.onChange({ kind: 'learning', ...common, step, loss }),
        signal: cancel.signal,
      });
      made = { unit, update };
    }
    options.onChange({ kind: 'sending', ...common, bytes: made.update.length });
    await handIn(id, unit, made.update, UPLOAD_ATTEMPTS);
    wait();
  }

  /** What failed is asked for again: the coordinator names the unit once more while it is open. */
  async function tryToLearn(body: FromCoordinator['unit']) {
    try {
      await learn(body);
    } catch (thrown) {
      unitId = undefined;
      // Only what the coordinator itself refuses is over.
      if (thrown instanceof AiloError && HOPELESS.has(thrown.code)) wanted = false;
      else if (thrown instanceof AiloError && OVER.has(thrown.code)) await worker?.settle(false);
      else if (!cancel.signal.aborted) options.schedule(ask, UPLOAD_RETRY_MS);
      if (wanted === false) options.onChange({ kind: 'off' });
      else wait();
      throw thrown;
    }
  }

  async function handIn(campaign: string, unit: string, update: Uint8Array, attemptsLeft: number): Promise<void> {
    const networkId = options.networkId()!;
    const signature = wallet.sign(uploadBytes({ networkId, unit, hash: await sha256Hex(update) }));
    try {
      const response = await fetch(new URL(paths.update(campaign, unit), url), {
        method: 'PUT',
        headers: {
          'content-type': 'application/octet-stream',
          [UPLOAD_HEADERS.publicKey]: bytesToHex(wallet.publicKey),
          [UPLOAD_HEADERS.signature]: bytesToHex(signature),
        },
        body: update as Uint8Array<ArrayBuffer>,
        signal: cancel.signal,
      });
      if (response.ok) return;
      if (response.status < 500) throw AiloError.fromWire((await response.json()) as WireError);
      throw new Error(`the coordinator answered with ${response.status}`);
    } catch (thrown) {
      if (thrown instanceof AiloError || attemptsLeft <= 1 || cancel.signal.aborted) throw thrown;
      log.info({ unit, attemptsLeft }, 'the update could not be handed in yet');
      await new Promise<void>((resolve) => options.schedule(resolve, UPLOAD_RETRY_MS));
      await handIn(campaign, unit, update, attemptsLeft - 1);
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

  function wait() {
    const weights = worker?.weightsHash;
    options.onChange({ kind: 'waiting', ...(worker && weights && { campaign: worker.campaign.id, weights }) });
  }

  function ask() {
    if (wanted === false || !options.isOpen()) return;
    send('train', typeof wanted === 'string' ? { campaign: wanted } : {});
  }

  function stop() {
    cancel.abort();
    unitId = undefined;
    cancel = new AbortController();
    options.onChange({ kind: 'off' });
  }

  return {
    train(next) {
      if (next === wanted) return;
      wanted = next;
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
      void then(() => tryToLearn(body));
    },
    unitRefused({ error, unit }) {
      log.warn({ unit, code: error.code }, error.message);
      void then(async () => worker?.settle(false));
      options.onError(AiloError.fromWire(error));
    },
    round: (body) => void then(() => advance(body)),
    refused(error) {
      wanted = false;
      options.onChange({ kind: 'off' });
      options.onError(AiloError.fromWire(error));
    },
    async release() {
      cancel.abort();
      await work;
      cancel = new AbortController();
      await worker?.release();
      worker = undefined;
    },
  };
}
