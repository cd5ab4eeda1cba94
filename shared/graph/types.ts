/** What the graph builder promises to the rest: placement units, and a stage as ONNX bytes plus a list of weights. */

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

/** One external initializer of the graph: what it is called there, and how its bytes come from the model's tensors. */
export interface WeightSpec {
  name: string;
  dtype: 'float32' | 'int8' | 'uint8';
  dims: number[];
  byteLength: number;
  /** How `materialise` makes the bytes; plain data, so that it can cross a worker boundary. */
  recipe: WeightRecipe;
}

/** Names are those of the safetensors file. `float32` sources are converted from f16/bf16 where needed. */
export type WeightRecipe =
  | { kind: 'copy'; tensors: string[] }
  /** The tensors, each [out, in], one above the other, transposed to [in, sum of out]. */
  | { kind: 'transpose'; tensors: string[] }
  | { kind: 'quantised'; part: 'values' | 'scales'; quant: 'int8' | 'int4'; tensors: string[]; transposed: boolean }
  | { kind: 'rope'; part: 'cos' | 'sin' };

export interface StageGraph {
  /** ONNX protobuf without weights: every initializer of `weights` is external data in the file `EXTERNAL_FILE`. */
  onnx: Uint8Array;
  weights: WeightSpec[];
  range: UnitRange;
  /** The KV caches this stage keeps, one per attention unit. */
  caches: { layer: number; kvHeads: number; headDim: number }[];
  takes: 'tokens' | 'hidden';
  gives: 'hidden' | 'logits';
  hiddenSize: number;
  vocabSize: number;
}
