/**
 * One job on this stage: frames come in, go through the stage in order, and what comes out goes to the neighbour. What
 * went out stays in a journal, for a replacement of the neighbour.
 */
import { AiloError, toAiloError } from '../errors/index.ts';
import type { FromCoordinator, FromNode } from '../protocol/messages.ts';
import type { LoadedStage, StageOutput } from '../runtime/types.ts';
import type { Sampler } from '../sampler/types.ts';
import { decodeFrame, type Frame, frameRange } from '../tensor/frame.ts';
import { arrive, type Due, earlyBytes, NOTHING_ARRIVED } from './arrivals.ts';
import type { Batcher } from './batcher.ts';
import type { DirectPort } from './direct/port.ts';
import { draftingOf } from './drafts/drafting.ts';
import type { DraftCount } from './drafts/front.ts';
import { createEvidence, type Evidence } from './evidence.ts';
import { hiddenJournal, tokenJournal } from './journal.ts';
import { PROGRESS_EVERY_MS } from './limits.ts';
import { createLink, type Link, type Way } from './link.ts';
import { finishReason, rowsPerStep, type StageShape, stepsOf, withoutFirst } from './step.ts';

export type JobMessage = 'frame' | 'token' | 'more' | 'jobRows' | 'jobFailed' | 'commitment' | 'evidence';

export interface JobOptions {
  open: FromCoordinator['jobOpen'];
  stage: Pick<LoadedStage, 'drop'>;
  /** Runs the job's steps on the stage, with those of other jobs. */
  batcher: Batcher;
  shape: StageShape;
  contextLength: number;
  eosTokens: number[];
  /** For the last stage. */
  sampler?: Sampler;
  /**
   * Computes what came after the prompt one row at a time also when it comes again, in one piece, to a replacement:
   * the result is then the same to the bit. Otherwise it is computed as the prompt is.
   */
  exact: boolean;
  /** Our own address: a job of one stage hands its tokens to itself, without the network. */
  address: string;
  send<T extends JobMessage>(type: T, body: FromNode[T]): void;
  /** Links to neighbours that do without the coordinator; absent where there can be none. */
  direct?: DirectPort;
  onStep(): void;
  /** Milliseconds of a steady clock. */
  now(): number;
  /** Nothing runs before: the caches of closed jobs have to be free first. */
  startAfter: Promise<void>;
}

export interface Job {
  /** Frames that wait here for their turn, bytes. */
  readonly queuedBytes: number;
  /** Queues a frame. What is wrong with it fails the job, not the caller. `more`: its sender waits until it has run. */
  accept(data: Uint8Array, more?: boolean): void;
  /** Of the first stage of a job that drafts. */
  readonly drafts: DraftCount | undefined;
  /** The way to the successor. */
  readonly link: Link;
  /** Who may send frames directly, and in which epoch of that link. */
  readonly previous: { node?: string | undefined; epoch: number } | undefined;
  /** The predecessor was replaced. */
  follow(previous: NonNullable<Job['previous']>): void;
  /** Tells the predecessor over the direct link, if there is one, how many rows have arrived: the next may come there. */
  welcome(): void;
  /** What the stage can be held to, once the answer is complete. */
  readonly evidence: Pick<Evidence, 'show' | 'more'>;
  /** Commits to it, when all that has arrived has run: the answer may be complete before, where its last row was drafted. */
  audit(body: FromCoordinator['audit']): void;
  /** Fails the job towards the coordinator and takes nothing more. */
  fail(error: AiloError): void;
  /** Takes nothing more; settles when the running step has ended and the KV cache is free. Never rejects. */
  close(): Promise<void>;
}

export function createJob(options: JobOptions): Job {
  const { open, stage, batcher, shape, contextLength, send } = options;
  const { job, wire, promptTokens } = open;
  const maxRows = rowsPerStep(shape, wire);
  const drafting = draftingOf(open, shape, options.now);
  let answered = open.sample?.answered.length ?? 0;
  // After what was answered, each row has its token; a replay may bring several that were not answered yet.
  const unanswered = open.sample ? promptTokens + answered : Number.POSITIVE_INFINITY;
  const tokens = tokenJournal(promptTokens + answered);
  const hidden = hiddenJournal(shape.outWidth, wire, contextLength);
  const journal = shape.gives === 'hidden' ? hidden : tokens;
  const linkState = (node: string) => options.direct?.state(node) ?? { preferred: false, writable: false };
  const link = createLink({ open, journal, maxRows, direct: linkState, send: hand });
  let previous: Job['previous'] = open.previous;
  let arrivals = NOTHING_ARRIVED;
  let toldMs = options.direct?.now() ?? 0;
  const evidence = createEvidence({ open, shape, hidden, maxRows, send });
  let closed = false;
  let work = options.startAfter;
  let queuedBytes = 0;

  function hand(frame: FromNode['frame'], way: Way) {
    if (closed) return;
    const { to, ...body } = frame;
    if (to === options.address) accept(frame.data);
    else if (way === 'direct') options.direct!.send(to, 'frame', body);
    else send('frame', frame);
  }

  function accept(data: Uint8Array, more = false) {
    const { start, end } = frameRange(data) ?? { start: 0, end: 0 };
    if (end <= start || end > contextLength) {
      return fail(
        AiloError.of('FRAME_INVALID', { reason: `its rows are not among the ${contextLength} of the context` }),
      );
    }
    // What comes over the relay alone is in order as it comes.
    const arrived = previous
      ? arrive(arrivals, { start, end, data, more })
      : { arrivals: { ...arrivals, rows: end }, due: [{ start, end, data, more, skip: 0 }] };
    arrivals = arrived.arrivals;
    for (const due of arrived.due) queue(due);
  }

  function queue(due: Due) {
    queuedBytes += due.data.length;
    work = work.then(async () => {
      queuedBytes -= due.data.length;
      if (closed) return;
      try {
        if (due.skip < due.end - due.start) await runFrame(due);
        if (due.more && !closed) send('more', { job });
      } catch (thrown) {
        fail(toAiloError(thrown));
      }
    });
  }

  async function runFrame({ data, skip }: Due) {
    const frame = decodeFrame(data);
    if (frame.job !== job) throw AiloError.of('FRAME_INVALID', { reason: 'it belongs to another job' });
    try {
      await runRows(frame, skip);
    } finally {
      // Hashing is not what the answer waits for.
      evidence.received(data, frame.position, frame.kind === 'tokens' ? frame.ids.length : frame.rows, skip);
    }
  }

  async function runRows(frame: Frame, skip: number) {
    const due = withoutFirst(frame, skip);
    const ahead = drafting?.front ? drafting.front(due) : due;
    if (!ahead) return;
    for (const step of stepsOf(ahead, shape, maxRows, singleFrom(ahead))) {
      if (drafting?.verdict && !drafting.verdict.admits(step, step.marks)) continue;
      const { position, input } = step;
      const logits = position + step.rows >= promptTokens ? 1 : 0;
      let end = position;
      await batcher.run({ sequence: job, position, input, logits }, (output, rows) => {
        const marks = step.marks?.subarray(end - position, end - position + rows);
        end += rows;
        if (!closed) handOn(output, end, marks);
      });
      if (closed) return;
    }
  }

  function tellProgress() {
    if (!options.direct || options.direct.now() - toldMs < PROGRESS_EVERY_MS) return;
    toldMs = options.direct.now();
    tellRows();
  }

  function tellRows() {
    if (previous) send('jobRows', { job, epoch: previous.epoch, rows: arrivals.rows });
  }

  function welcome() {
    const { node, epoch } = previous ?? {};
    if (closed || node === undefined || epoch === undefined || !options.direct?.isOpen(node)) return;
    options.direct.send(node, 'has', { job, epoch, rows: arrivals.rows });
  }

  /** Drafts travel together, but what a row gives must not depend on those that were drafted with it. */
  function singleFrom(frame: Frame): number {
    const isMarked = frame.kind === 'hidden' ? frame.marks !== undefined : drafting !== undefined;
    return options.exact || isMarked ? promptTokens : unanswered;
  }

  /** `end`: rows of the sequence up to the output's last. */
  function handOn({ kind, data, rows }: StageOutput, end: number, marks: Uint32Array | undefined) {
    options.onStep();
    tellProgress();
    if (kind === 'hidden') {
      const position = end - rows;
      if (position < hidden.end) {
        hidden.truncate(position);
        link.rewind(position);
      }
      hidden.append(data, rows, drafting?.marks?.(position, rows) ?? marks);
      link.push();
    } else if (rows > 0) {
      answer(data, end);
    }
  }

  function answer(logits: Float32Array, position: number) {
    if (!open.sample || !options.sampler) {
      throw AiloError.of('MESSAGE_INVALID', { type: 'jobOpen', reason: 'the last stage was not told how to sample' });
    }
    const index = position - promptTokens;
    // The stage that was here before has answered this already.
    if (index < answered) return;
    evidence.answering(logits);
    const token = options.sampler.next(logits);
    answered = index + 1;
    const { maxNewTokens } = open.sample;
    const { eosTokens } = options;
    send('token', { job, index, token });
    if (finishReason({ token, index, position }, { eosTokens, maxNewTokens, contextLength })) return;
    drafting?.verdict?.append(token);
    tokens.append(token);
    link.push();
  }

  function fail(error: AiloError) {
    if (closed) return;
    closed = true;
    send('jobFailed', { job, error: error.toWire() });
  }

  return {
    get queuedBytes() {
      return queuedBytes + earlyBytes(arrivals);
    },
    get previous() {
      return previous;
    },
    drafts: drafting?.count,
    accept,
    link,
    evidence,
    audit(body) {
      work = work.then(() => evidence.audit(body));
    },
    follow(to) {
      previous = to;
      tellRows();
      welcome();
    },
    welcome,
    fail,
    async close() {
      closed = true;
      batcher.forget(job);
      await work;
      // A stage whose engine broke cannot drop either; its release frees everything.
      await stage.drop(job).catch(() => {});
    },
  };
}
