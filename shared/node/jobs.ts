/** The jobs that pass through one loaded stage: opens, feeds and closes them, and keeps their number in bounds. */
import { AiloError, toAiloError } from '../errors/index.ts';
import type { FromCoordinator, FromNode } from '../protocol/messages.ts';
import { createSampler } from '../sampler/sampler.ts';
import { type BatcherOptions, createBatcher } from './batcher.ts';
import { createChecks } from './check.ts';
import type { PeerMessage } from './direct/peer-messages.ts';
import type { DirectPort } from './direct/port.ts';
import type { DraftCount } from './drafts/front.ts';
import { createJob, type Job, type JobMessage } from './job.ts';
import { MAX_QUEUED_FRAME_BYTES } from './limits.ts';
import type { ReadyStage } from './stage.ts';

export interface JobsOptions extends Pick<BatcherOptions, 'afterArrivals' | 'now' | 'schedule'> {
  ready: ReadyStage;
  assignment: FromCoordinator['assign'];
  address: string;
  send<T extends JobMessage | 'checked'>(type: T, body: FromNode[T]): void;
  direct?: JobsDirect;
  /** A job came or went, or a step was taken. */
  onChange(): void;
}

export interface JobsDirect extends DirectPort {
  /** All peers that the jobs here could be linked with directly. */
  want(peers: ReadonlySet<string>): void;
}

export interface Jobs {
  readonly open: number;
  readonly done: number;
  /** Steps of the newest job. */
  readonly steps: number;
  /** Of all jobs; undefined where nothing was drafted. */
  readonly drafts: DraftCount | undefined;
  jobOpen(body: FromCoordinator['jobOpen']): void;
  jobNext(body: FromCoordinator['jobNext']): void;
  jobPrevious(body: FromCoordinator['jobPrevious']): void;
  jobRows(body: FromCoordinator['jobRows']): void;
  more(body: FromCoordinator['more']): void;
  frame(body: FromCoordinator['frame']): void;
  jobClose(body: FromCoordinator['jobClose']): void;
  audit(body: FromCoordinator['audit']): void;
  show(body: FromCoordinator['show']): void;
  checkOpen(body: FromCoordinator['checkOpen']): void;
  peerOpened(peer: string): void;
  /** Frames are taken only from the predecessor in the job, and only those of the present epoch. */
  peerMessage(peer: string, message: PeerMessage): void;
  /** The link can take more, or is another way than before. */
  peerChanged(peer: string): void;
  peerLost(peer: string): void;
  /** Settles when nothing runs any more and the caches are free. Never rejects. */
  closeAll(): Promise<void>;
}

export function createJobs({ ready, assignment, address, send, direct, onChange, ...timing }: JobsOptions): Jobs {
  const batcher = createBatcher({ stage: ready.stage, ...timing });
  const jobs = new Map<string, Job>();
  /** By job: the peers at its two links, where those may be direct. */
  const peers = new Map<string, { next?: string; previous?: string }>();
  /** Closed jobs whose last step may still run. */
  let closing: Promise<void> = Promise.resolve();
  let done = 0;
  let steps = 0;
  /** Of closed jobs. */
  const drafted: DraftCount = { made: 0, right: 0 };

  // int4 is for GPUs, where a row at a time costs most; what f32 and int8 compute depends on which rows go together.
  const exact = assignment.quant !== 'int4';
  const { stage, shape } = ready;
  // In f32 that is far less than what a check allows for.
  const checks = createChecks({
    stage,
    batcher,
    shape,
    exact: assignment.quant === 'int8',
    send,
    closing: () => closing,
    onClosing,
  });

  function onClosing(closed: Promise<void>) {
    const before = closing;
    closing = closed.then(() => before);
  }

  function close(id: string) {
    const job = jobs.get(id);
    const closed = job?.close();
    if (!closed) return;
    drafted.made += job?.drafts?.made ?? 0;
    drafted.right += job?.drafts?.right ?? 0;
    jobs.delete(id);
    near(id, undefined);
    onClosing(closed);
  }

  function near(id: string, change: { next?: string | undefined; previous?: string | undefined } | undefined) {
    if (!direct) return;
    const { next, previous } = { ...peers.get(id), ...change };
    if (change) peers.set(id, { ...(next && { next }), ...(previous && { previous }) });
    else peers.delete(id);
    direct.want(new Set([...peers.values()].flatMap((both) => Object.values<string>(both))));
  }

  function take(id: string, data: Uint8Array, more?: boolean) {
    const job = jobs.get(id);
    if (!job) return;
    let queuedBytes = data.length;
    for (const each of jobs.values()) queuedBytes += each.queuedBytes;
    if (queuedBytes > MAX_QUEUED_FRAME_BYTES) {
      job.fail(AiloError.of('SESSION_OVERFLOW', { limitBytes: MAX_QUEUED_FRAME_BYTES }));
    } else {
      job.accept(data, more);
    }
  }

  function openJob(open: FromCoordinator['jobOpen']): Job {
    const { model, contextLength, maxSequences } = assignment;
    if (jobs.size >= maxSequences) throw AiloError.of('ROOM_BUSY', { model });
    if (jobs.size + checks.open >= maxSequences) checks.giveWay();
    const { eosTokens } = ready;
    const { sample } = open;
    const sampler = sample && createSampler(sample.sampling, sample.prompt, sample.answered);
    steps = 0;
    const onStep = () => {
      steps++;
      onChange();
    };
    const rest = {
      stage,
      batcher,
      shape,
      eosTokens,
      contextLength,
      address,
      send,
      now: timing.now,
      onStep,
      startAfter: closing,
      ...(direct && { direct }),
    };
    return createJob({ open, exact, ...rest, ...(sampler && { sampler }) });
  }

  return {
    get open() {
      return jobs.size;
    },
    get done() {
      return done;
    },
    get steps() {
      return steps;
    },
    get drafts() {
      let { made, right } = drafted;
      for (const { drafts } of jobs.values()) {
        made += drafts?.made ?? 0;
        right += drafts?.right ?? 0;
      }
      return made > 0 ? { made, right } : undefined;
    },
    jobOpen(body) {
      if (jobs.has(body.job)) return;
      try {
        const job = openJob(body);
        jobs.set(body.job, job);
        near(body.job, { next: body.direct && body.next, previous: body.previous?.node });
        job.welcome();
        onChange();
      } catch (thrown) {
        send('jobFailed', { job: body.job, error: toAiloError(thrown).toWire() });
      }
    },
    // Messages of a job that was closed meanwhile are normal.
    jobNext({ job, ...to }) {
      if (!jobs.has(job)) return;
      near(job, { next: to.direct && to.next });
      jobs.get(job)?.link.relink(to);
    },
    jobPrevious({ job, ...to }) {
      if (!jobs.has(job)) return;
      near(job, { previous: to.node });
      jobs.get(job)?.follow(to);
    },
    jobRows: ({ job, ...told }) => jobs.get(job)?.link.has(told, false),
    more({ job: id }) {
      const job = jobs.get(id);
      if (job) return job.link.more();
      for (const { evidence } of jobs.values()) evidence.more(id);
    },
    audit: (body) => jobs.get(body.job)?.audit(body),
    show: (body) => jobs.get(body.job)?.evidence.show(body),
    checkOpen: (body) => checks.checkOpen(body, jobs.size + checks.open < assignment.maxSequences),
    frame(body) {
      if (!checks.frame(body)) take(body.job, body.data, body.more);
    },
    peerOpened(peer) {
      for (const job of jobs.values()) if (job.previous?.node === peer) job.welcome();
    },
    peerMessage(peer, { type, body }) {
      if (type !== 'frame' && type !== 'has') return;
      const job = jobs.get(body.job);
      if (type === 'has') {
        if (job?.link.next === peer) job.link.has(body, true);
      } else if (job?.previous?.node === peer && job.previous.epoch === body.epoch) {
        take(body.job, body.data, body.more);
        job.welcome();
      }
    },
    peerChanged(peer) {
      for (const job of jobs.values()) if (job.link.next === peer) job.link.push();
    },
    peerLost(peer) {
      for (const job of jobs.values()) if (job.link.next === peer) job.link.cut();
    },
    jobClose({ job, reason }) {
      if (checks.close(job) || !jobs.has(job)) return;
      close(job);
      if (reason === 'done') done++;
      onChange();
    },
    async closeAll() {
      for (const id of [...jobs.keys()]) close(id);
      checks.closeAll();
      await closing;
    },
  };
}
