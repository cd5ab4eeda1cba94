/** The node: its session, its contributing and its asking side put together, and their state for whoever shows it. */
import { bytesToHex, hexToBytes, randomBytes } from '@noble/hashes/utils.js';
import { AiloError, type WireError } from '../errors/index.ts';
import type { Seal } from '../ledger/checkpoint.ts';
import { coalesce } from '../model/coalesce.ts';
import { loadTextCodec } from '../model/text.ts';
import type { ChunkStore, TextCodec } from '../model/types.ts';
import type { Authenticate, FromCoordinator, FromNode, ModelListing } from '../protocol/messages.ts';
import type { Schedule } from '../protocol/schedule.ts';
import type { Runtime } from '../runtime/types.ts';
import type { Campaign } from '../train/campaign/campaign.ts';
import type { Learner } from '../train/campaign/worker.ts';
import type { Wallet } from '../wallet/wallet.ts';
import { createContributor } from './contributor.ts';
import type { Dial } from './dial.ts';
import type { DirectTransport } from './direct/transport.ts';
import type { LocalTexts } from './local-texts.ts';
import type { Log } from './log.ts';
import { type ModelFilesOptions, openModelFiles } from './model-files.ts';
import { createRequester } from './requester.ts';
import { createSession } from './session.ts';
import { createLoadStage } from './stage.ts';
import { createTrainer } from './trainer.ts';
import type { AiloNode, NodeState } from './types.ts';

export interface NodeOptions {
  /** The coordinator: `http://host:port` or `https://host`. */
  url: string;
  wallet: Wallet;
  /** Claimed when connecting; absent keeps what the wallet has. */
  username?: string;
  client: Authenticate['client'];
  /** Asks for one stage in particular instead of whatever is needed. */
  want?: FromNode['offer']['want'];
  /** Called when contributing begins, and again after it was switched off in between. */
  createRuntime(): Promise<Runtime>;
  /** What trains in a campaign; a host without it cannot. */
  createLearner?(campaign: Campaign): Promise<Learner>;
  /** What campaigns of local texts learn from. */
  texts?: LocalTexts;
  chunks: ChunkStore;
  /** Links to neighbours without the coordinator; absent where the host has none to give. */
  direct?: DirectTransport;
  fetch: typeof fetch;
  dial: Dial;
  /** The coordinator's newest checkpoint; nothing about it was checked. */
  onCheckpoint?(seal: Seal): void;
  schedule: Schedule;
  /** Settles when messages that have arrived meanwhile have been handled; absent where computing never holds them up. */
  afterArrivals?(): Promise<void>;
  /** Milliseconds of a steady clock. */
  now(): number;
  /** Uniform in [0, 1). */
  random(): number;
  log: Log;
}

export function createNode(options: NodeOptions): AiloNode {
  const { url, wallet, fetch, chunks, log } = options;
  const files = { url, fetch, chunks, now: options.now };
  const listeners = new Set<(state: NodeState) => void>();
  let state: NodeState = {
    connection: 'stopped',
    address: wallet.address,
    contributing: false,
    activity: { kind: 'off' },
    training: { kind: 'off' },
    models: [],
  };

  function update(change: Partial<NodeState>) {
    state = { ...state, ...change };
    for (const listener of [...listeners]) listener(state);
  }

  /** What went wrong has been overcome; the next update tells. */
  function forgetError() {
    const { error: _, ...rest } = state;
    state = rest;
  }

  const showError = (error: WireError) => update({ error });

  const session = createSession({
    ...options,
    onConnection(connection, error) {
      if (connection === 'connected') forgetError();
      update({ connection, ...(error && { error }) });
    },
    onOpen(username) {
      if (username !== undefined) update({ username });
      contributor.onOpen();
      trainer.onOpen();
    },
    onLost() {
      requester.onLost();
      contributor.onLost();
    },
    onMessage: ({ type, body }) => handlers[type](body as never),
  });

  const contributor = createContributor({
    ...options,
    address: wallet.address,
    loadStage: createLoadStage(files),
    isOpen: () => session.open,
    send: session.send,
    onChange(contributing, activity) {
      if (activity.kind === 'ready') forgetError();
      update({ contributing, activity });
    },
    onLinks: (links) => update({ links }),
    onError(error) {
      if (error.code === 'INTERNAL') log.warn({ err: error.cause }, error.message);
      showError(error.toWire());
    },
  });

  const trainer = createTrainer({
    ...options,
    async createLearner(campaign) {
      if (options.createLearner) return options.createLearner(campaign);
      throw AiloError.of('ENGINE_UNAVAILABLE', { engine: 'training', reason: 'this host does not train' });
    },
    networkId: () => session.networkId,
    isOpen: () => session.open,
    send: session.send,
    onChange: (training) => update({ training }),
    onError(error) {
      log.warn({ code: error.code, cause: error.cause }, error.message);
      showError(error.toWire());
    },
  });

  const requester = createRequester({
    url,
    isOpen: () => session.open,
    send: session.send,
    models: () => state.models,
    loadCodec: codecLoader(files),
    newId: () => bytesToHex(randomBytes(16)),
  });

  const handlers: { [T in keyof FromCoordinator]: (body: FromCoordinator[T]) => void } = {
    models: ({ models }) => update({ models }),
    account: (account) => update({ account }),
    checkpoint: ({ bytes, signature }) =>
      options.onCheckpoint?.({ bytes: hexToBytes(bytes), signature: hexToBytes(signature) }),
    assign: contributor.assign,
    unassign: contributor.unassign,
    jobOpen: contributor.jobOpen,
    jobNext: contributor.jobNext,
    jobPrevious: contributor.jobPrevious,
    jobRows: contributor.jobRows,
    jobClose: contributor.jobClose,
    signal: contributor.signal,
    more: contributor.more,
    frame: contributor.frame,
    audit: contributor.audit,
    show: contributor.show,
    checkOpen: contributor.checkOpen,
    accepted: requester.accepted,
    token: requester.token,
    rewind: requester.rewind,
    finished: requester.finished,
    unit: trainer.unit,
    unitRefused: trainer.unitRefused,
    group: trainer.group,
    groupPeers: trainer.groupPeers,
    groupShares: trainer.groupShares,
    groupSurvivors: trainer.groupSurvivors,
    groupReveal: trainer.groupReveal,
    round: trainer.round,
    failed: requester.failed,
    refused,
  };

  function refused({ about, error }: FromCoordinator['refused']) {
    const known = AiloError.fromWire(error).toWire();
    log.warn({ about, code: error.code }, error.message);
    if (about === 'generate') return requester.onRefused(known);
    if (about === 'train') return trainer.refused(known);
    if (about === 'offer') contributor.offerRefused(known);
    showError(known);
  }

  return {
    get state() {
      return state;
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    start: () => session.start(),
    async stop() {
      session.stop();
      await trainer.release();
      await contributor.release();
    },
    contribute: (on) => contributor.contribute(on),
    train: (wanted, mode) => trainer.train(wanted, mode),
    chat: (request, signal) => requester.chat(request, signal),
  };
}

/** Each model's tokenizer is loaded once; a failure is tried again the next time. */
function codecLoader(files: ModelFilesOptions) {
  const loaded = new Map<string, TextCodec>();
  const once = coalesce<TextCodec>();
  return async ({ id: model, manifestHash }: ModelListing, signal?: AbortSignal): Promise<TextCodec> => {
    const known = loaded.get(manifestHash);
    if (known) return known;
    const load = async (signal: AbortSignal) =>
      loadTextCodec(await openModelFiles({ model, manifestHash }, files, signal), signal);
    const codec = await once(manifestHash, load, signal);
    loaded.set(manifestHash, codec);
    return codec;
  };
}
