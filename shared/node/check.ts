/**
 * Computing again what another holder of the same stage computed: the rows that it received come in, what comes out goes
 * to the coordinator, which compares. Nobody tells a checker what to find.
 */
import { AiloError, toAiloError } from '../errors/index.ts';
import type { FromCoordinator, FromNode } from '../protocol/messages.ts';
import type { LoadedStage, StageOutput } from '../runtime/types.ts';
import { createAnswerVerifier } from '../sampler/verify.ts';
import { decodeFrame, encodeFrame } from '../tensor/frame.ts';
import { sketch } from '../tensor/sketch.ts';
import type { Batcher } from './batcher.ts';
import { rowsPerStep, type StageShape, stepsOf } from './step.ts';

export interface CheckOptions {
  open: FromCoordinator['checkOpen'];
  stage: Pick<LoadedStage, 'drop'>;
  batcher: Batcher;
  shape: StageShape;
  /** Rows after the prompt are computed one by one: what comes out depends on which rows go together. */
  exact: boolean;
  send<T extends 'evidence' | 'checked' | 'more' | 'jobFailed'>(type: T, body: FromNode[T]): void;
  /** Nothing runs before. */
  startAfter: Promise<void>;
}

export interface Check {
  /** Queues a frame of rows. `more`: the coordinator waits until it has run. */
  accept(data: Uint8Array, more?: boolean): void;
  /** Settles when nothing runs any more and the KV cache is free. Never rejects. */
  close(): Promise<void>;
}

export function createCheck({ open, stage, batcher, shape, exact, send, startAfter }: CheckOptions): Check {
  const { check, wire, promptTokens, rows, sample } = open;
  const maxRows = rowsPerStep(shape, wire);
  const isLast = shape.gives === 'logits';
  const singleFrom = exact || isLast ? promptTokens : Number.POSITIVE_INFINITY;
  const verifier = sample && createAnswerVerifier(sample.sampling, sample.prompt, sample.tolerance);
  const wrong: number[] = [];
  let sequence = 0;
  let done = 0;
  let closed = false;
  let work = startAfter;

  function tell(position: number, data: Float32Array, count: number) {
    const head = { job: check, sequence: sequence++, position, sampleAfter: false };
    const format = isLast ? 'f32' : wire;
    send('evidence', { check, data: encodeFrame({ ...head, kind: 'hidden', rows: count, data }, format) });
  }

  function answered(logits: Float32Array, index: number) {
    tell(index, sketch(logits), 1);
    const token = sample?.answer[index];
    if (token !== undefined && !verifier?.agrees(logits, token)) wrong.push(index);
  }

  /** `end`: rows of the sequence up to the output's last. */
  function found({ kind, data, rows: count }: StageOutput, end: number) {
    if (kind === 'hidden') tell(end - count, data, count);
    else if (count > 0) answered(data, end - promptTokens);
  }

  async function run(data: Uint8Array) {
    const frame = decodeFrame(data);
    for (const step of stepsOf(frame, shape, maxRows, singleFrom)) {
      const { position, input } = step;
      const logits = position + step.rows >= promptTokens ? 1 : 0;
      let end = position;
      await batcher.run({ sequence: check, position, input, logits }, (output, count) => {
        end += count;
        if (!closed) found(output, end);
      });
      if (closed) return;
      done += step.rows;
    }
    if (done >= rows) send('checked', { check, wrong });
  }

  return {
    accept(data, more = false) {
      work = work.then(async () => {
        if (closed) return;
        try {
          await run(data);
          if (more && !closed) send('more', { job: check });
        } catch (thrown) {
          closed = true;
          send('jobFailed', { job: check, error: toAiloError(thrown).toWire() });
        }
      });
    },
    async close() {
      closed = true;
      batcher.forget(check);
      await work;
      await stage.drop(check).catch(() => {});
    },
  };
}

/** The checks that run on one loaded stage. They take sequences that no job needs, and give them back to one that does. */
export interface Checks {
  readonly open: number;
  checkOpen(body: FromCoordinator['checkOpen'], mayOpen: boolean): void;
  /** Whether the frame was one of a check. */
  frame(body: FromCoordinator['frame']): boolean;
  close(check: string): boolean;
  /** Ends one so that a job has room. */
  giveWay(): void;
  closeAll(): void;
}

export type ChecksOptions = Omit<CheckOptions, 'open' | 'startAfter'> & {
  /** What must have ended before another begins. */
  closing(): Promise<void>;
  onClosing(closed: Promise<void>): void;
};

export function createChecks({ closing, onClosing, ...options }: ChecksOptions): Checks {
  const checks = new Map<string, Check>();

  function close(id: string): boolean {
    const check = checks.get(id);
    if (!check) return false;
    checks.delete(id);
    onClosing(check.close());
    return true;
  }

  const busy = (check: string) =>
    options.send('jobFailed', { job: check, error: AiloError.of('CHECKER_BUSY', {}).toWire() });

  return {
    get open() {
      return checks.size;
    },
    checkOpen(open, mayOpen) {
      if (!mayOpen) return busy(open.check);
      checks.set(open.check, createCheck({ ...options, open, startAfter: closing() }));
    },
    frame({ job, data, more }) {
      const check = checks.get(job);
      check?.accept(data, more);
      return check !== undefined;
    },
    close,
    giveWay() {
      const [first] = checks.keys();
      if (first === undefined) return;
      close(first);
      busy(first);
    },
    closeAll() {
      for (const id of [...checks.keys()]) close(id);
    },
  };
}
