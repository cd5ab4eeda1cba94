/** The optimiser over weights and state that lie on a disk, segment by segment: one is computed, others are under way. */
import type { EngineMemory, LoadedGraph, TensorEngine, Values } from '../../runtime/tensor-engine.ts';
import { flatUpdateGraph, PORTS } from '../graphs.ts';
import { KEPT, type Optimiser } from '../optimiser/types.ts';
import type { Layout } from './layout.ts';
import type { TrainingState } from './state.ts';
import type { StepUpdate } from './step-record.ts';

/** What one segment takes: its arrays and gradient as they are read, and the arrays as they are written. */
interface Place {
  before: Float32Array;
  gradient: Float32Array;
  after: Float32Array;
  written: Promise<void>;
}

export class SegmentUpdater {
  readonly #state: TrainingState;
  readonly #optimiser: Optimiser;
  readonly #graph: LoadedGraph;
  readonly #memory: EngineMemory;
  readonly #kept: Float32Array;
  readonly #places: [Place, Place];

  private constructor(engine: TensorEngine, state: TrainingState, optimiser: Optimiser, graph: LoadedGraph) {
    const { arrays, segmentValues } = state;
    this.#state = state;
    this.#optimiser = optimiser;
    this.#graph = graph;
    this.#memory = engine.allocate((2 * (2 * arrays + 1) + 1) * segmentValues);
    let at = 0;
    const take = (count: number) => {
      at += count * segmentValues;
      return this.#memory.values.subarray(at - count * segmentValues, at);
    };
    const place = (): Place => {
      return { before: take(arrays), gradient: take(1), after: take(arrays), written: Promise.resolve() };
    };
    this.#kept = take(1);
    this.#places = [place(), place()];
  }

  /** Throws ENGINE_FAILED. */
  static async load(engine: TensorEngine, state: TrainingState, optimiser: Optimiser): Promise<SegmentUpdater> {
    const graph = await engine.load(flatUpdateGraph(optimiser, state.segmentValues));
    return new SegmentUpdater(engine, state, optimiser, graph);
  }

  /** Brings every segment up to the last finished step, from where that was left. Throws ENGINE_FAILED, STATE_NOT_STORED. */
  async apply({ learningRate, gradientScale, segments: done }: StepUpdate): Promise<void> {
    const { segments, batch } = this.#state.ring;
    const scalars = this.#optimiser.scalarsAt(this.#state.step, learningRate, gradientScale);
    let [reading, advancing] = [this.#read(done), Promise.resolve()];
    try {
      for (let segment = done; segment < segments; segment++) {
        await reading;
        reading = this.#read(segment + 1);
        await this.#compute(segment, scalars);
        const last = segment + 1 === segments;
        if (!last && (segment + 1) % batch !== 0) continue;
        // The next batch takes the place that this one leaves only in the batch after.
        await advancing;
        await this.#written();
        advancing = this.#state.advance(segment + 1);
        advancing.catch(() => {});
      }
      await advancing;
    } finally {
      await Promise.allSettled([reading, advancing, this.#written()]);
    }
  }

  async release(): Promise<void> {
    await this.#graph.release();
    this.#memory.free();
  }

  #read(segment: number): Promise<unknown> {
    if (segment >= this.#state.ring.segments) return Promise.resolve();
    const { before, gradient } = this.#place(segment);
    const values = gradient.subarray(0, this.#state.lengthOf(segment));
    const reading = Promise.all([
      this.#state.readSegment(segment, before),
      this.#state.gradients.read(segment * this.#state.segmentValues, values),
    ]);
    reading.catch(() => {});
    return reading;
  }

  async #compute(segment: number, scalars: Record<string, number>): Promise<void> {
    const place = this.#place(segment);
    await place.written;
    const inputs: Record<string, Values> = {
      ...this.#arrays(place.before, (name) => name),
      [PORTS.gradient(PORTS.parameters)]: this.#flat(place.gradient),
    };
    for (const [name, value] of Object.entries(scalars)) inputs[name] = { data: Float32Array.of(value), shape: [] };
    inputs[KEPT] = this.#flat(this.#kept);
    const start = segment * this.#state.segmentValues;
    fillKept(this.#kept, this.#state.layout, start, scalars[KEPT]!);
    await this.#graph.run(inputs, this.#arrays(place.after, PORTS.updated));
    place.written = this.#state.writeSegment(segment, place.after);
    place.written.catch(() => {});
  }

  #arrays(values: Float32Array, portOf: (name: string) => string): Record<string, Values> {
    const size = this.#state.segmentValues;
    const names = [PORTS.parameters, ...this.#optimiser.slots];
    return Object.fromEntries(
      names.map((name, index) => [portOf(name), this.#flat(values.subarray(index * size, (index + 1) * size))]),
    );
  }

  #flat(data: Float32Array): Values {
    return { data, shape: [data.length] };
  }

  #place(segment: number): Place {
    return this.#places[segment % 2]!;
  }

  async #written(): Promise<void> {
    await Promise.all(this.#places.map(({ written }) => written));
  }
}

/** What values from `start` on are multiplied by: `kept` where they are a matrix's, 1 where a vector's. */
export function fillKept(into: Float32Array, { tensors }: Layout, start: number, kept: number): void {
  into.fill(kept);
  for (const tensor of tensors) {
    if (tensor.shape.length >= 2) continue;
    const [first, end] = [tensor.start - start, tensor.start + tensor.length - start];
    if (first < into.length && end > 0) into.fill(1, Math.max(0, first), end);
  }
}
