/** What a program is made of: instructions, and the places in memory that they name. */
import type { RowCount } from './arena.ts';
import { ALIGNMENT, CONTROL, INSTRUCTION_WORDS, OPCODES } from './layout.ts';

/** How bytes of a weight's file come into memory. */
export type Placement =
  /** As they are, from `offset` of the file on. */
  | { kind: 'copy'; offset: number; bytes: number; at: number }
  /** Values int8 [in, out] from `offset` on, as panels. */
  | { kind: 'panels'; offset: number; inSize: number; outSize: number; at: number };

/** A stage as instructions. All addresses are bytes in the stage's memory, which is 0 at first. */
export interface Program {
  /** Instructions of `INSTRUCTION_WORDS` words each. */
  words: readonly number[];
  /** Where they go. */
  start: number;
  /** By the name of the weight's file. */
  placements: ReadonlyMap<string, Placement[]>;
  /** Where the step's tokens (int32), positions (int32) and hidden states (float32) go, if they are used. */
  inputs: Readonly<Partial<Record<'tokens' | 'positions' | 'hidden', number>>>;
  /** Where the rows, or the logits, are afterwards. */
  output: number;
  /** Of all memory but the caches and the threads' own. */
  bytes: number;
  /** Of one sequence. */
  cacheBytes: number;
}

/** Writes instructions and hands out memory behind them. */
export class ProgramWriter {
  readonly start: number;
  readonly words: number[] = [];
  #end: number;

  constructor(maxInstructions: number) {
    this.start = align(CONTROL.tasks + 4 * maxInstructions);
    this.#end = align(this.start + 4 * INSTRUCTION_WORDS * maxInstructions);
  }

  /** Memory that is handed out, or taken by the instructions. */
  get bytes(): number {
    return this.#end;
  }

  reserve(bytes: number): number {
    const at = this.#end;
    this.#end += align(bytes);
    return at;
  }

  emit(opcode: keyof typeof OPCODES, rows: RowCount, ...values: number[]): void {
    const instruction = [OPCODES[opcode], rows, ...values];
    this.words.push(...instruction, ...new Array<number>(INSTRUCTION_WORDS - instruction.length).fill(0));
  }
}

/** A float32 as the word that an instruction has for it. */
export function floatWord(value: number): number {
  return new Uint32Array(Float32Array.of(value).buffer)[0]!;
}

export function align(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}
