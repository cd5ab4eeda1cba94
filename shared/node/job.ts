/**
 * One job on this stage: frames come in, go through the stage in order, and what comes out goes to the neighbour. What
 * went out stays in a journal, for a replacement of the neighbour.
 */
import { AiloError, toAiloError } from '../errors/index.ts';
import type { FromCoordinator, FromNode } from '../protocol/messages.ts';
import type { LoadedStage, StageOutput } from '../runtime/types.ts';
import type { Sampler } from '../sampler/types.ts';
import { decodeFrame } from '../tensor/frame.ts';
import { createEvidence, type Evidence } from './evidence.ts';
import { hiddenJournal, tokenJournal } from './journal.ts';
import { createLink, type Link } from './link.ts';
import { finishReason, rowsPerStep, type StageShape, type Step, stepsOf } from './step.ts';

export type JobMessage = 'frame' | 'token' | 'more' | 'jobFailed' | 'commitment' | 'evidence';

export interface JobOptions {
  open: FromCoordinator['jobOpen'];
  stage: LoadedStage;
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
  onStep(): void;
  /** Nothing runs before: the caches of closed jobs have to be free first. */
  startAfter: Promise<void>;
}

export interface Job {
  /** Frames that wait here for their turn, bytes. */
  readonly queuedBytes: number;
  /** Queues a frame. What is wrong with it fails the job, not the caller. `more`: its sender waits until it has run. */
  accept(data: Uint8Array, more?: boolean): void;
  /** The successor was replaced, or it has run what it got. */
  readonly link: Pick<Link, 'relink' | 'more'>;
  /** What the stage can be held to, once the answer is complete. */
  readonly evidence: Pick<Evidence, 'audit' | 'show' | 'more'>;
  /** Fails the job towards the coordinator and takes nothing more. */
  fail(error: AiloError): void;
  /** Takes nothing more; settles when the running step has ended and the KV cache is free. Never rejects. */
  close(): Promise<void>;
}

export function createJob(options: JobOptions): Job {
  const { open, stage, shape, contextLength, send } = options;
  const { job, wire, promptTokens } = open;
  const maxRows = rowsPerStep(shape, wire);
  const singleFrom = options.exact ? promptTokens : Number.POSITIVE_INFINITY;
  let answered = open.sample?.answered.length ?? 0;
  const tokens = tokenJournal(promptTokens + answered);
  const hidden = hiddenJournal(shape.outWidth, wire, contextLength);
  const journal = shape.gives === 'hidden' ? hidden : tokens;
  const link = createLink({ open, journal, maxRows, send: hand });
  const evidence = createEvidence({ open, shape, hidden, maxRows, send });
  let closed = false;
  let work = options.startAfter;
  let queuedBytes = 0;

  function hand(frame: FromNode['frame']) {
    if (closed) return;
    if (frame.to === options.address) accept(frame.data);
    else send('frame', frame);
  }

  function accept(data: Uint8Array, more = false) {
    queuedBytes += data.length;
    work = work.then(async () => {
      queuedBytes -= data.length;
      if (closed) return;
      try {
        await runFrame(data);
        if (more && !closed) send('more', { job });
      } catch (thrown) {
        fail(toAiloError(thrown));
      }
    });
  }

  async function runFrame(data: Uint8Array) {
    const frame = decodeFrame(data);
    if (frame.job !== job) throw AiloError.of('FRAME_INVALID', { reason: 'it belongs to another job' });
    evidence.received(data, frame.position, frame.kind === 'tokens' ? frame.ids.length : frame.rows);
    for (const step of stepsOf(frame, shape, maxRows, singleFrom)) {
      const output = await stage.run({ sequence: job, position: step.position, input: step.input });
      if (closed) return;
      options.onStep();
      handOn(step, output);
    }
  }

  function handOn(step: Step, output: StageOutput) {
    if (output.kind === 'hidden') {
      hidden.append(output.data, output.rows);
      link.push();
    } else if (step.sampleAfter) {
      answer(output.data, step.position + step.rows);
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
    const finish = finishReason({ token, index, position }, { eosTokens, maxNewTokens, contextLength });
    send('token', { job, index, token, ...(finish && { finish }) });
    if (finish) return;
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
      return queuedBytes;
    },
    accept,
    link,
    evidence,
    fail,
    async close() {
      closed = true;
      await work;
      // A stage whose engine broke cannot drop either; its release frees everything.
      await stage.drop(job).catch(() => {});
    },
  };
}
