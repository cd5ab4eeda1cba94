/** What the kernels' memory looks like; `assembly/layout.ts` says the same for AssemblyScript. Offsets in bytes. */

export const CONTROL = {
  epoch: 0,
  stop: 4,
  meetings: 64,
  meetingsBefore: 192,
  threads: 196,
  rows: 200,
  position: 204,
  cache: 208,
  program: 212,
  instructions: 216,
  scratch: 220,
  scratchBytes: 224,
  logitRows: 228,
  tasks: 1024,
} as const;

export const INSTRUCTION_WORDS = 16;

/** The numbers of the instructions in `assembly/index.ts`. */
export const OPCODES = {
  gather: 0,
  columns: 1,
  lastRows: 2,
  elementwise: 3,
  norm: 4,
  quantise: 5,
  matmul: 6,
  rotate: 7,
  append: 8,
  attend: 9,
  gatherInt8: 10,
} as const;

/** The second word of an instruction: how many rows it has. */
export const ROW_COUNTS = { step: 0, logits: 1 } as const;

/** Of `elementwise`. */
export const ELEMENTWISE = { add: 0, multiply: 1, silu: 2, gelu: 3, geluTanh: 4 } as const;

/** How far from zero a row is quantised: as far as `GraphBuilder.quantiseRows` does, so that engines differ by roundings. */
export const QUANTISATION_STEPS = 127;
/** A row of more values could have a sum of products with int8 that 32 bits have no room for. */
export const MAX_PRODUCTS = Math.floor((2 ** 31 - 1) / (127 * QUANTISATION_STEPS));
/** Columns of a panel of weights. */
export const PANEL = 8;
/** Vectors have four lanes, and loops over rows take whole vectors. */
export const LANES = 4;
export const PAGE_BYTES = 65_536;
/** Of what threads write side by side: a cache line. */
export const ALIGNMENT = 64;
