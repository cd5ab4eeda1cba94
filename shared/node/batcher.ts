/** Makes runs of a stage out of the steps of its jobs: what waits at the same time runs together. */

import type { Schedule } from '../protocol/schedule.ts';
import { rowsOf } from '../runtime/step.ts';
import type { LoadedStage, StageInput, StageOutput, StageStep } from '../runtime/types.ts';
import { gatherMs, nextRun } from './batch.ts';
import { MAX_DECODE_ROWS } from './limits.ts';

export interface BatcherOptions {
  stage: LoadedStage;
  /** Settles when what has arrived meanwhile has been read, so that it can still go along. */
  afterArrivals(): Promise<void>;
  /** Milliseconds of a steady clock. */
  now(): number;
  schedule: Schedule;
}

export interface Batcher {
  /**
   * Runs a step, in pieces where others must not wait for all of it; `deliver` is called with what comes of each, in
   * order. Rejects with the stage's errors, and with those of `deliver`.
   */
  run(step: StageStep, deliver: Deliver): Promise<void>;
  /** Takes a sequence's waiting steps away, which settle. One that runs is not stopped. */
  forget(sequence: string): void;
}

type Deliver = (output: StageOutput, rows: number) => void;

interface Item {
  /** What is left of it. */
  step: StageStep;
  deliver: Deliver;
  settle(error?: unknown): void;
}

/** Rows from the front of what waits. */
interface Part {
  item: Item;
  rows: number;
}

export function createBatcher({ stage, afterArrivals, now, schedule }: BatcherOptions): Batcher {
  let waiting: Item[] = [];
  /** Sequences that decode, with the number of the run that they were in last. */
  const decoding = new Map<string, number>();
  let running = false;
  let runs = 0;
  let passedOver = 0;
  let msPerRow = 0;
  let lastRunMs = 0;
  let endGathering = () => {};

  /** Runs until nothing waits. Never rejects. */
  async function pump() {
    if (running) return endGathering();
    running = true;
    for (await afterArrivals(); waiting.length > 0; await afterArrivals()) {
      await gather();
      const state = { lanes: stage.lanes, msPerRow, decoding: decodingElsewhere(), passedOver };
      const pieces = nextRun(waiting.map(waitingOf), state);
      await runTogether(pieces.map(({ index, rows }) => ({ item: waiting[index]!, rows })));
    }
    running = false;
  }

  async function gather() {
    const ms = gatherMs({ missing: missing(), lastRunMs });
    if (ms < 1) return;
    await new Promise<void>((resolve) => {
      const cancel = schedule(resolve, ms);
      endGathering = () => {
        if (missing() > 0) return;
        cancel();
        resolve();
      };
    });
    endGathering = () => {};
  }

  /** Sequences that ran last together with one that waits, and don't wait themselves. */
  function missing(): number {
    const here = new Set(waiting.map(({ step }) => step.sequence));
    const theirRuns = new Set([...here].map((sequence) => decoding.get(sequence)));
    let count = 0;
    for (const [sequence, run] of decoding) if (theirRuns.has(run) && !here.has(sequence)) count++;
    return count;
  }

  function decodingElsewhere(): number {
    const here = new Set(waiting.map(({ step }) => step.sequence));
    return [...decoding.keys()].filter((sequence) => !here.has(sequence)).length;
  }

  async function runTogether(parts: Part[]) {
    const steps = parts.map(({ item, rows }) => front(item.step, rows));
    const startedMs = now();
    try {
      const outputs = await stage.run(steps);
      note(steps, now() - startedMs);
      for (const [i, { item, rows }] of parts.entries()) done(item, rows, outputs[i]!);
    } catch (error) {
      if (parts.length === 1) return end(parts[0]!.item, error);
      // One bad step must not cost the others theirs.
      for (const part of parts) if (waiting.includes(part.item)) await runTogether([part]);
    }
  }

  function note(steps: StageStep[], ms: number) {
    runs++;
    lastRunMs = ms;
    for (const { sequence } of steps) decoding.set(sequence, runs);
    const isPrompt = ({ input }: StageStep) => rowsOf(input) > MAX_DECODE_ROWS;
    if (!steps.some(isPrompt)) {
      passedOver = waiting.some(({ step }) => isPrompt(step)) ? passedOver + 1 : 0;
      return;
    }
    passedOver = 0;
    msPerRow = ms / steps.reduce((sum, { input }) => sum + rowsOf(input), 0);
  }

  function done(item: Item, rows: number, output: StageOutput) {
    // Its job has ended meanwhile.
    if (!waiting.includes(item)) return;
    try {
      item.deliver(output, rows);
    } catch (error) {
      return end(item, error);
    }
    if (rows === rowsOf(item.step.input)) end(item);
    else item.step = rest(item.step, rows);
  }

  function end(item: Item, error?: unknown) {
    waiting = waiting.filter((other) => other !== item);
    item.settle(error);
  }

  return {
    run(step, deliver) {
      return new Promise((resolve, reject) => {
        const settle = (error?: unknown) => (error === undefined ? resolve() : reject(error));
        waiting.push({ step, deliver, settle });
        void pump();
      });
    },
    forget(sequence) {
      decoding.delete(sequence);
      for (const item of waiting) if (item.step.sequence === sequence) end(item);
      endGathering();
    },
  };
}

function waitingOf({ step: { input, logits = 1 } }: Item) {
  return { rows: rowsOf(input), logits };
}

/** The first `rows` rows of a step. Only its last rows want logits. */
function front(step: StageStep, rows: number): StageStep {
  if (rows === rowsOf(step.input)) return step;
  return { ...step, input: rowsFrom(step.input, 0, rows), logits: 0 };
}

function rest(step: StageStep, start: number): StageStep {
  return { ...step, position: step.position + start, input: rowsFrom(step.input, start, rowsOf(step.input)) };
}

function rowsFrom(input: StageInput, start: number, end: number): StageInput {
  if (input.kind === 'tokens') return { kind: 'tokens', ids: input.ids.subarray(start, end) };
  const width = input.data.length / input.rows;
  return { kind: 'hidden', rows: end - start, data: input.data.subarray(start * width, end * width) };
}
