/** What the graph builder promises to the rest: placement units, and a stage as ONNX bytes plus a list of weights. */
import type { Graph } from './onnx.ts';

/** The smallest thing that is placed on a node. A model has 2 · layers + 2 of them, in this order of execution. */
export type Unit =
  | { kind: 'embedding' }
  | { kind: 'attention'; layer: number }
  | { kind: 'mlp'; layer: number }
  | { kind: 'head' };

/** A run of placement units: `start` inclusive, `end` exclusive. */
export interface UnitRange {
  start: number;
  end: number;
}

export const QUANTS = ['f32', 'int8', 'int4'] as const;
export type Quant = (typeof QUANTS)[number];

/**
 * One external data file of the graph, and how its bytes come from the model's tensors: small files, so that no engine
 * needs the stage's weights in one piece, each made by reading its tensors once.
 */
export interface WeightSpec {
  name: string;
  byteLength: number;
  /** The initializers in the file, one after the other. */
  initializers: Initializer[];
  /** How `materialise` makes the bytes; plain data, so that it can cross a worker boundary. */
  recipe: WeightRecipe;
}

export interface Initializer {
  name: string;
  dtype: 'float32' | 'int8' | 'uint8';
  dims: number[];
}

/**
 * A matrix as the tensors of a safetensors file that lie side by side in it, each of `outSizes[i]` outputs.
 * `layout` is the tensors' own: 'out-in' (torch Linear) or 'in-out' (GPT-2's Conv1D). A matrix of the graph is [in, out].
 */
export interface MatrixSource {
  tensors: string[];
  layout: 'out-in' | 'in-out';
  inSize: number;
  outSizes: number[];
}

/** Names are those of the safetensors file. `float32` sources are converted from f16/bf16 where needed. */
export type WeightRecipe =
  /** The tensors, one after the other. */
  | { kind: 'copy'; tensors: string[] }
  /** float32 [in, out]. */
  | { kind: 'matrix'; source: MatrixSource }
  /** Scales float32 [out] (symmetric, one per column), then values int8 [in, out]. */
  | { kind: 'int8'; source: MatrixSource }
  /** Scales float32 [out · blocks], then values uint8 [out, blocks, 16], low nibble first, zero point 8 (MatMulNBits). */
  | { kind: 'int4'; source: MatrixSource }
  /** Cosines, then sines: float32 [positions, headDim / 2] each, from the model's configuration alone. */
  | { kind: 'rope'; positions: number };

/** Bytes that a loaded stage takes. */
export interface StageMemory {
  weightBytes: number;
  /** KV caches of one sequence. */
  cacheBytes: number;
  /** What one sequence sends to the next stage, kept for a replacement of that one; 0 where the head ends the model. */
  journalBytes: number;
  /** The largest intermediate values of one step of `MAX_STEP_ROWS` rows. */
  workingBytes: number;
}

export interface StageGraph {
  /** ONNX protobuf without weights: every initializer of `weights` is external data in the file of its `WeightSpec`. */
  onnx: Uint8Array;
  /** What `onnx` says, as plain data. */
  recorded: Graph;
  weights: WeightSpec[];
  range: UnitRange;
  /** The KV caches this stage keeps, one per attention unit, each [1, kvHeads, contextLength, headDim] twice. */
  caches: { layer: number; kvHeads: number; headDim: number }[];
  /** Tokens that a cache holds. */
  contextLength: number;
  memory: StageMemory;
  takes: 'tokens' | 'hidden';
  gives: 'hidden' | 'logits';
  hiddenSize: number;
  vocabSize: number;
}
