/** One job on this stage: frames come in, go through the stage in order, and what comes out goes to the neighbour. */
import { AiloError, toAiloError } from '../errors/index.ts';
import type { FromCoordinator, FromNode } from '../protocol/messages.ts';
import type { LoadedStage, StageOutput } from '../runtime/types.ts';
import type { Sampler } from '../sampler/types.ts';
import { decodeFrame, encodeFrame } from '../tensor/frame.ts';
import { finishReason, rowsPerStep, type StageShape, type Step, stepsOf } from './step.ts';

export interface JobOptions {
  open: FromCoordinator['jobOpen'];
  stage: LoadedStage;
  shape: StageShape;
  contextLength: number;
  eosTokens: number[];
  /** For the last stage. */
  sampler?: Sampler;
  /** Our own address: a job of one stage hands its tokens to itself, without the network. */
  address: string;
  send<T extends 'frame' | 'token' | 'jobFailed'>(type: T, body: FromNode[T]): void;
  onStep(): void;
  /** Nothing runs before: the caches of closed jobs have to be free first. */
  startAfter: Promise<void>;
}

export interface Job {
  /** Frames that wait here for their turn, bytes. */
  readonly queuedBytes: number;
  /** Queues a frame. What is wrong with it fails the job, not the caller. */
  accept(data: Uint8Array): void;
  /** Fails the job towards the coordinator and takes nothing more. */
  fail(error: AiloError): void;
  /** Takes nothing more; settles when the running step has ended and the KV cache is free. Never rejects. */
  close(): Promise<void>;
}

export function createJob(options: JobOptions): Job {
  const { open, stage, shape, send } = options;
  const { job, next, wire } = open;
  const maxRows = rowsPerStep(shape, wire);
  let closed = false;
  let work = options.startAfter;
  let queuedBytes = 0;
  let framesSent = 0;
  let tokens = 0;

  function accept(data: Uint8Array) {
    queuedBytes += data.length;
    work = work.then(async () => {
      queuedBytes -= data.length;
      if (closed) return;
      try {
        await runFrame(data);
      } catch (thrown) {
        fail(toAiloError(thrown));
      }
    });
  }

  async function runFrame(data: Uint8Array) {
    const frame = decodeFrame(data);
    if (frame.job !== job) throw AiloError.of('FRAME_INVALID', { reason: 'it belongs to another job' });
    for (const step of stepsOf(frame, shape, maxRows)) {
      const output = await stage.run({ sequence: job, position: step.position, input: step.input });
      if (closed) return;
      options.onStep();
      handOn(step, output);
    }
  }

  function handOn(step: Step, output: StageOutput) {
    if (output.kind === 'logits') {
      if (step.sampleAfter) answer(output.data, step.position + step.rows);
      return;
    }
    const { position, sampleAfter } = step;
    const frame = { job, sequence: framesSent++, position, sampleAfter, ...output };
    send('frame', { job, to: next, data: encodeFrame(frame, wire) });
  }

  function answer(logits: Float32Array, position: number) {
    if (!open.sample || !options.sampler) {
      throw AiloError.of('MESSAGE_INVALID', { type: 'jobOpen', reason: 'the last stage was not told how to sample' });
    }
    const token = options.sampler.next(logits);
    const index = tokens++;
    const { maxNewTokens } = open.sample;
    const { eosTokens, contextLength } = options;
    const finish = finishReason({ token, index, position }, { eosTokens, maxNewTokens, contextLength });
    send('token', { job, index, token, ...(finish && { finish }) });
    if (finish) return;
    const ids = Int32Array.of(token);
    const data = encodeFrame({ job, sequence: framesSent++, position, sampleAfter: true, kind: 'tokens', ids });
    if (next === options.address) accept(data);
    else send('frame', { job, to: next, data });
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
    fail,
    async close() {
      closed = true;
      await work;
      // A stage whose engine broke cannot drop either; its release frees everything.
      await stage.drop(job).catch(() => {});
    },
  };
}
