/** What the graph builder promises to the rest: placement units, and a stage as ONNX bytes plus a list of weights. */
import type { WireDtype } from '../tensor/payload.ts';
import type { Graph } from './onnx.ts';

/** The smallest thing that is placed on a node, in this order of execution; `units` lists those of a model. */
export type Unit =
  | { kind: 'embedding' }
  | { kind: 'attention'; layer: number }
  /** Without `parts` all of it. */
  | { kind: 'mlp'; layer: number; parts?: MlpParts }
  | { kind: 'head' };

/** Parts `start` (inclusive) to `end` (exclusive) of an MLP half-layer that is divided into `of`. */
export interface MlpParts {
  start: number;
  end: number;
  of: number;
}

/** A run of placement units: `start` inclusive, `end` exclusive. */
export interface UnitRange {
  start: number;
  end: number;
  /** The list that is meant: of the model with each MLP half-layer divided into so many units. Absent: 1. */
  mlpParts?: number | undefined;
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
  /** Where only a part of each tensor is taken: `start` and on, of the tensor's `of` inputs or outputs. */
  part?: { axis: 'in' | 'out'; start: number; of: number };
}

/** Names are those of the safetensors file. `float32` sources are converted from f16/bf16 where needed. */
export type WeightRecipe =
  /** The tensors, one after the other; with `part`, of each (vectors of `of` values) only `size` values from `start` on. */
  | { kind: 'copy'; tensors: string[]; part?: { start: number; size: number; of: number } }
  /** Scales float32 [rows] (symmetric, one per row), then values int8 [rows, width], of a tensor [rows, width]. */
  | { kind: 'rows'; tensor: string; rows: number; width: number }
  /** float32 [in, out]. */
  | { kind: 'matrix'; source: MatrixSource }
  /** Scales float32 [out] (symmetric, one per column), then values int8 [in, out]. */
  | { kind: 'int8'; source: MatrixSource }
  /** Scales float32 [out · blocks], then values uint8 [out, blocks, 16], low nibble first, zero point 8 (MatMulNBits). */
  | { kind: 'int4'; source: MatrixSource }
  /** The same in bytes: values uint8 [out, blocks, 32], zero point 128. */
  | { kind: 'int8Blocks'; source: MatrixSource }
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
  /** The largest matrix: while a stage is loaded, engines hold it twice to pack it. */
  loadingBytes: number;
}

export interface GraphOptions {
  quant: Quant;
  /** Tokens that a KV cache holds. */
  contextLength: number;
  /** Steps of different sequences that one run may have (1). */
  lanes?: number;
  /** How the journal keeps hidden states (as `wireOf` the quantisation). */
  wire?: WireDtype;
}

export interface StageGraph {
  /** ONNX protobuf without weights: every initializer of `weights` is external data in the file of its `WeightSpec`. */
  onnx: Uint8Array;
  /** What `onnx` says, with one lane, as plain data. */
  recorded: Graph;
  weights: WeightSpec[];
  range: UnitRange;
  /** Steps of different sequences that one run may have. */
  lanes: number;
  /** The KV caches that a sequence has here, one per attention unit, each [1, kvHeads, contextLength, headDim] twice. */
  caches: { layer: number; kvHeads: number; headDim: number }[];
  /** Tokens that a cache holds. */
  contextLength: number;
  memory: StageMemory;
  takes: 'tokens' | 'hidden';
  gives: 'hidden' | 'logits';
  /** Columns of the hidden states it takes and gives: twice the model's where an MLP is cut, see `record`. */
  inWidth: number;
  outWidth: number;
  vocabSize: number;
}
