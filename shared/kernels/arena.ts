import { MAX_STEP_ROWS } from '../graph/limits.ts';
import type { ProgramWriter } from './program.ts';

/** Rows of float32 in the stage's memory: as many as a step has, or one. */
export interface Rows {
  at: number;
  width: number;
  /** 0: as many as the step has. */
  rows: 0 | 1;
}

/** Memory of values between instructions, used again when a value is not needed any more. */
export class Arena {
  readonly #writer: ProgramWriter;
  /** Free places by their size. */
  readonly #free = new Map<number, number[]>();

  constructor(writer: ProgramWriter) {
    this.#writer = writer;
  }

  take(rows: 0 | 1, rowBytes: number): { at: number; bytes: number } {
    const bytes = (rows || MAX_STEP_ROWS) * rowBytes;
    return { at: this.#free.get(bytes)?.pop() ?? this.#writer.reserve(bytes), bytes };
  }

  give({ at, bytes }: { at: number; bytes: number }): void {
    this.#free.set(bytes, [...(this.#free.get(bytes) ?? []), at]);
  }
}
