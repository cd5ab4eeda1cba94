import { MAX_STEP_ROWS } from '../graph/limits.ts';
import type { ROW_COUNTS } from './layout.ts';
import type { ProgramWriter } from './program.ts';

/** How many rows a value has: those of the step, or the last of them, whose logits are wanted. */
export type RowCount = (typeof ROW_COUNTS)[keyof typeof ROW_COUNTS];

/** Rows of float32 in the stage's memory. */
export interface Rows {
  at: number;
  width: number;
  rows: RowCount;
}

/** Memory of values between instructions, used again when a value is not needed any more. */
export class Arena {
  readonly #writer: ProgramWriter;
  /** Free places by their size. */
  readonly #free = new Map<number, number[]>();

  constructor(writer: ProgramWriter) {
    this.#writer = writer;
  }

  take(rowBytes: number): { at: number; bytes: number } {
    const bytes = MAX_STEP_ROWS * rowBytes;
    return { at: this.#free.get(bytes)?.pop() ?? this.#writer.reserve(bytes), bytes };
  }

  give({ at, bytes }: { at: number; bytes: number }): void {
    this.#free.set(bytes, [...(this.#free.get(bytes) ?? []), at]);
  }
}
