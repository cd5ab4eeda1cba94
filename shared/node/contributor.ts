/**
 * The contributing side: offers what was measured, holds the stage that the coordinator assigns, and gives it back.
 * Messages decide at once what should be; loading and releasing follow one after the other, so that memory never
 * holds two stages.
 */
import { AiloError, toAiloError, type WireError } from '../errors/index.ts';
import type { ChunkStore } from '../model/types.ts';
import type { FromCoordinator, FromNode } from '../protocol/messages.ts';
import type { Schedule } from '../protocol/schedule.ts';
import { offeredBytes } from '../runtime/budget.ts';
import type { Measurement, Runtime } from '../runtime/types.ts';
import { createSharing } from './chunks/sharing.ts';
import { createPeers } from './direct/peers.ts';
import type { DirectTransport } from './direct/transport.ts';
import { type Assignment, type Held, heldActivity, isSameStage } from './held.ts';
import { createJobs } from './jobs.ts';
import { OFFER_RETRY_MS } from './limits.ts';
import type { Log } from './log.ts';
import { remainingMs } from './remaining.ts';
import type { LoadStage, ReadyStage } from './stage.ts';
import type { Activity, LinkStatus } from './types.ts';

export interface ContributorOptions {
  address: string;
  want?: FromNode['offer']['want'];
  createRuntime(): Promise<Runtime>;
  loadStage: LoadStage;
  /** What is lent to neighbours, and where what they lend goes. */
  chunks: ChunkStore;
  /** Whether there is a session to contribute through. */
  isOpen(): boolean;
  send<T extends keyof FromNode>(type: T, body: FromNode[T]): void;
  /** Milliseconds of a steady clock. */
  now(): number;
  schedule: Schedule;
  /** Settles when messages that have arrived meanwhile have been handled; absent where computing never holds them up. */
  afterArrivals?(): Promise<void>;
  log: Log;
  /** Links to neighbours without the coordinator; absent where the host has none to give. */
  direct?: DirectTransport;
  onLinks?(links: LinkStatus[]): void;
  onChange(contributing: boolean, activity: Activity): void;
  onError(error: AiloError): void;
}

export interface Contributor {
  contribute(on: boolean): void;
  onOpen(): void;
  onLost(): void;
  /** The coordinator did not take our offer. */
  offerRefused(error: WireError): void;
  assign(body: Assignment): void;
  unassign(body: FromCoordinator['unassign']): void;
  jobOpen(body: FromCoordinator['jobOpen']): void;
  jobNext(body: FromCoordinator['jobNext']): void;
  jobPrevious(body: FromCoordinator['jobPrevious']): void;
  jobRows(body: FromCoordinator['jobRows']): void;
  jobClose(body: FromCoordinator['jobClose']): void;
  signal(body: FromCoordinator['signal']): void;
  more(body: FromCoordinator['more']): void;
  frame(body: FromCoordinator['frame']): void;
  audit(body: FromCoordinator['audit']): void;
  show(body: FromCoordinator['show']): void;
  checkOpen(body: FromCoordinator['checkOpen']): void;
  /** Frees everything, the engine included. Contributing stays switched as it was. */
  release(): Promise<void>;
}

export function createContributor(options: ContributorOptions): Contributor {
  const { send, log, schedule } = options;
  let contributing = false;
  let runtime: Promise<Runtime> | undefined;
  let measurement: Measurement | undefined;
  /** The coordinator of this session knows of us. */
  let offered = false;
  let held: Held | undefined;
  /** Left over from a session that was lost; the next one often assigns the same again. */
  let kept: { assignment: Assignment; ready: ReadyStage } | undefined;
  let cancelRetry = () => {};
  /** Loading and releasing, in order. Never rejects. */
  let work: Promise<void> = Promise.resolve();

  const peers =
    options.direct &&
    createPeers({
      ...{ transport: options.direct, address: options.address, schedule, now: options.now, log },
      signal: (to, signal) => send('signal', { to, signal }),
      onCalled: (peer) => sharing?.called(peer),
      onOpened: (peer) => held?.loaded?.jobs.peerOpened(peer),
      onMessage(peer, message) {
        held?.loaded?.jobs.peerMessage(peer, message);
        sharing?.message(peer, message);
      },
      onChanged(peer) {
        held?.loaded?.jobs.peerChanged(peer);
        sharing?.changed(peer);
      },
      onLost(peer) {
        held?.loaded?.jobs.peerLost(peer);
        sharing?.lost(peer);
      },
      onStatus: (links) => options.onLinks?.(links),
    });
  const sharing =
    peers &&
    createSharing({
      ...{ chunks: options.chunks, direct: peers, schedule },
      want: (nodes) => peers.want('chunks', nodes),
      call: (to) => send('signal', { to, signal: { kind: 'call' } }),
    });

  const changed = () => options.onChange(contributing, activity());
  const then = (next: () => Promise<void>) => {
    work = work.then(next).catch((thrown) => options.onError(toAiloError(thrown)));
    return work;
  };

  function activity(): Activity {
    if (held) return heldActivity(held);
    if (!contributing) return { kind: 'off' };
    return measurement ? { kind: 'waiting' } : { kind: 'measuring' };
  }

  async function engine(): Promise<Runtime> {
    runtime ??= options.createRuntime();
    try {
      return await runtime;
    } catch (thrown) {
      runtime = undefined;
      throw thrown;
    }
  }

  async function offer() {
    if (!contributing) return;
    try {
      const here = await engine();
      measurement ??= await here.measure();
      changed();
      if (!contributing || offered || !options.isOpen()) return;
      offered = true;
      const { want } = options;
      const [name, budgetBytes] = [here.engine, offeredBytes(here)];
      send('offer', {
        engine: name,
        budgetBytes,
        ...(here.hasKernels && { kernelBudgetBytes: here.budgetBytes }),
        matmulGflops: measurement.matmulGflops,
        ...(want && { want }),
        ...(peers && { direct: true }),
      });
    } catch (thrown) {
      contributing = false;
      options.onError(toAiloError(thrown));
      changed();
    }
  }

  async function load(mine: Held) {
    const { assignment, cancel } = mine;
    if (cancel.signal.aborted) return;
    const startedMs = options.now();
    peers?.use(assignment.ice ?? []);
    try {
      const ready = (await takeKept(assignment)) ?? (await loadAnew(mine));
      if (cancel.signal.aborted) return await ready.stage.release();
      const { address, afterArrivals = async () => {}, now } = options;
      const direct = peers && { ...peers, want: (nodes: ReadonlySet<string>) => peers.want('jobs', nodes) };
      const rest = { address, send, onChange: changed, ...(direct && { direct }) };
      const jobs = createJobs({ ready, assignment, ...rest, afterArrivals, now, schedule });
      mine.loaded = { ready, jobs };
      const loadMs = Math.round(options.now() - startedMs);
      log.info({ model: assignment.model, stage: assignment.stage, loadMs }, 'the stage is loaded');
      send('stageReady', { assignment: assignment.assignment, loadMs, memoryBytes: ready.memoryBytes });
    } catch (thrown) {
      if (cancel.signal.aborted) return;
      const error = toAiloError(thrown);
      if (held === mine) held = undefined;
      log.warn({ code: error.code, cause: error.cause }, error.message);
      send('stageFailed', { assignment: assignment.assignment, error: error.toWire() });
      options.onError(error);
    }
    changed();
  }

  async function loadAnew(mine: Held): Promise<ReadyStage> {
    const startedMs = options.now();
    const { sharers = [] } = mine.assignment;
    const neighbours = sharers.length > 0 ? sharing?.borrow(sharers) : undefined;
    try {
      return await options.loadStage(mine.assignment, await engine(), {
        signal: mine.cancel.signal,
        onProgress(loadedBytes, totalBytes) {
          mine.loadedBytes = loadedBytes;
          mine.totalBytes = totalBytes;
          mine.remainingMs = remainingMs(options.now() - startedMs, loadedBytes, totalBytes - loadedBytes);
          changed();
        },
        ...(neighbours && { neighbours }),
      });
    } finally {
      neighbours?.end();
    }
  }

  /** The stage of the lost session if it is the same; otherwise it makes room. */
  async function takeKept(assignment: Assignment): Promise<ReadyStage | undefined> {
    const candidate = kept;
    kept = undefined;
    if (candidate && isSameStage(candidate.assignment, assignment)) return candidate.ready;
    await candidate?.ready.stage.release();
    return undefined;
  }

  /** Lets go of the current stage; its memory is free when `work` has come so far. */
  function letGo(keep: boolean) {
    const mine = held;
    if (!mine) return;
    held = undefined;
    mine.cancel.abort();
    const { loaded } = mine;
    if (!loaded) return;
    const closed = loaded.jobs.closeAll();
    then(async () => {
      await closed;
      if (keep) kept = { assignment: mine.assignment, ready: loaded.ready };
      else await loaded.ready.stage.release();
    });
  }

  function release(): Promise<void> {
    cancelRetry();
    sharing?.closeAll();
    peers?.closeAll();
    letGo(false);
    return then(async () => {
      await kept?.ready.stage.release();
      kept = undefined;
      const closing = runtime;
      runtime = undefined;
      await (await closing)?.close();
    });
  }

  return {
    contribute(on) {
      if (on === contributing) return;
      contributing = on;
      if (on) {
        void then(offer);
      } else {
        if (offered) send('withdraw', {});
        offered = false;
        // What runs is finished: the coordinator says when.
        if (!held?.loaded) void release();
      }
      changed();
    },
    onOpen: () => void then(offer),
    onLost() {
      offered = false;
      sharing?.closeAll();
      peers?.closeAll();
      letGo(contributing);
      if (!contributing) void release();
      changed();
    },
    offerRefused({ code }) {
      if (code !== 'RATE_LIMITED') return;
      offered = false;
      cancelRetry();
      cancelRetry = schedule(() => void then(offer), OFFER_RETRY_MS);
    },
    assign(body) {
      // It crossed our withdrawal; the coordinator takes it back.
      if (!contributing) return;
      letGo(false);
      const mine: Held = { assignment: body, cancel: new AbortController(), loadedBytes: 0, totalBytes: 0 };
      held = mine;
      then(() => load(mine));
      changed();
    },
    unassign({ assignment }) {
      if (held?.assignment.assignment !== assignment) return;
      letGo(false);
      if (!contributing) void release();
      changed();
    },
    jobOpen(body) {
      const jobs = held?.assignment.assignment === body.assignment ? held.loaded?.jobs : undefined;
      if (jobs) jobs.jobOpen(body);
      else send('jobFailed', { job: body.job, error: AiloError.of('STAGE_RELEASED', {}).toWire() });
    },
    jobNext: (body) => held?.loaded?.jobs.jobNext(body),
    jobPrevious: (body) => held?.loaded?.jobs.jobPrevious(body),
    jobRows: (body) => held?.loaded?.jobs.jobRows(body),
    signal: ({ from, signal }) => peers?.signalled(from, signal),
    more: (body) => held?.loaded?.jobs.more(body),
    jobClose: (body) => held?.loaded?.jobs.jobClose(body),
    frame: (body) => held?.loaded?.jobs.frame(body),
    audit: (body) => held?.loaded?.jobs.audit(body),
    show: (body) => held?.loaded?.jobs.show(body),
    checkOpen(body) {
      const jobs = held?.assignment.assignment === body.assignment ? held.loaded?.jobs : undefined;
      if (jobs) jobs.checkOpen(body);
      else send('jobFailed', { job: body.check, error: AiloError.of('STAGE_RELEASED', {}).toWire() });
    },
    release,
  };
}
