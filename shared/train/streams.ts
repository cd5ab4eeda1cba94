/** What lets a disk work while something is computed: values are read ahead of it and written behind it. */
import type { ParameterSource, ParameterStore } from './codec/store.ts';
import type { Range } from './virtual/layout.ts';

/** Two arrays of an engine's memory, at least as long as what passes through them. */
export type Buffers = readonly [Float32Array, Float32Array];

/** Reads selections of values one after the other, each while the one before it is computed with. */
export class ReadAhead {
  readonly #source: ParameterSource;
  readonly #selections: readonly (readonly Range[])[];
  readonly #buffers: Buffers;
  #next = 0;
  #reading: Promise<Float32Array> | undefined;

  constructor(source: ParameterSource, selections: readonly (readonly Range[])[], buffers: Buffers) {
    this.#source = source;
    this.#selections = selections;
    this.#buffers = buffers;
    this.#begin();
  }

  /** The values of the next, one run after the other; those of the one before are not needed any more. Throws RangeError after the last. */
  async next(): Promise<Float32Array> {
    if (!this.#reading) throw new RangeError('there is no more to read');
    const values = await this.#reading;
    this.#begin();
    return values;
  }

  /** Fulfilled when nothing is read any more. */
  async settled(): Promise<void> {
    await this.#reading?.catch(() => {});
  }

  #begin(): void {
    const ranges = this.#selections[this.#next];
    this.#reading = undefined;
    if (!ranges) return;
    const buffer = this.#buffers[this.#next++ % 2]!;
    const reads: Promise<void>[] = [];
    let at = 0;
    for (const { start, length } of ranges) {
      reads.push(this.#source.read(start, buffer.subarray(at, at + length)));
      at += length;
    }
    this.#reading = Promise.all(reads).then(() => buffer.subarray(0, at));
    this.#reading.catch(() => {});
  }
}

/** Writes what is computed while the next is. */
export class WriteBehind {
  readonly #store: ParameterStore;
  readonly #buffers: Buffers;
  readonly #writing: [Promise<void>, Promise<void>] = [Promise.resolve(), Promise.resolve()];
  #next = 0;

  constructor(store: ParameterStore, buffers: Buffers) {
    this.#store = store;
    this.#buffers = buffers;
  }

  /** An array to compute into, which `write` then takes; its values are those of an earlier one. */
  async take(length: number): Promise<Float32Array> {
    await this.#writing[this.#next % 2];
    return this.#buffers[this.#next % 2]!.subarray(0, length);
  }

  /** Begins to write what `take` gave, from `start` of the space on. */
  write(start: number, values: Float32Array): void {
    const writing = this.#store.write(start, values);
    writing.catch(() => {});
    this.#writing[this.#next++ % 2] = writing;
  }

  /** Fulfilled when all is written. Throws what a write threw. */
  async finish(): Promise<void> {
    await Promise.all(this.#writing);
  }

  async settled(): Promise<void> {
    await Promise.allSettled(this.#writing);
  }
}
