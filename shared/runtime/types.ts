/**
 * The seam between Ailo and whatever executes graphs: onnxruntime-node, onnxruntime-web (WASM or WebGPU) or
 * our own kernels in a worker. A `Runtime` loads stages; a loaded stage runs steps of sequences and keeps their KV caches.
 */
import type { StageGraph, WeightSpec } from '../graph/types.ts';

export const ENGINES = ['node', 'wasm', 'webgpu'] as const;
export type Engine = (typeof ENGINES)[number];

/** What a stage consumes: token ids (a stage that starts with the embedding) or hidden states. */
export type StageInput =
  | { kind: 'tokens'; ids: Int32Array }
  /** `data` is row-major [rows, inWidth of the stage], float32. */
  | { kind: 'hidden'; rows: number; data: Float32Array };

/** What a stage produces: hidden states of every row, or (a stage that ends with the head) logits of the last rows. */
export type StageOutput =
  | { kind: 'hidden'; rows: number; data: Float32Array }
  /**
   * `data` is row-major [rows, vocabSize], float32: the last rows of the step, as many as it asked for. Good until the
   * stage runs again: copy what is to be kept.
   */
  | { kind: 'logits'; rows: number; data: Float32Array };

export interface StageStep {
  /** Names the KV cache; the first step of a new sequence has position 0. */
  sequence: string;
  /** Rows of the cache that this step continues; what lies behind them is forgotten. More than there are: POSITION_INVALID. */
  position: number;
  input: StageInput;
  /** How many of its last rows want logits from a stage that gives them (1); 0 to its number of rows. */
  logits?: number;
}

export interface LoadedStage {
  /** Steps that one run may have. */
  readonly lanes: number;
  /**
   * Runs steps of different sequences together and gives their outputs in the same order. What comes of a step does not
   * depend on which others run with it. If one of them can't be computed, none is: throws STEP_INVALID,
   * POSITION_INVALID, CONTEXT_FULL, STAGE_RELEASED, ENGINE_FAILED. Runs of one runtime come one at a time.
   */
  run(steps: readonly StageStep[]): Promise<StageOutput[]>;
  /** Forgets a sequence and frees its cache for another; unknown sequences are fine. */
  drop(sequence: string): Promise<void>;
  /** Frees weights and caches. */
  release(): Promise<void>;
}

export interface LoadOptions {
  /** Sequences that may be open at once; each has KV caches of its own (`graph.contextLength` tokens long). */
  maxSequences: number;
  signal?: AbortSignal;
  onProgress?: (loadedBytes: number, totalBytes: number) => void;
}

/** Speed as measured on this machine, never as claimed. */
export interface Measurement {
  /** f32 MatMul, GFLOP/s. */
  matmulGflops: number;
}

export interface Runtime {
  readonly engine: Engine;
  /** Memory (bytes) that all loaded stages together may take; checked before anything is allocated. */
  readonly budgetBytes: number;
  /** Kernels of our own compute what they know, and hold a stage's weights once also while it is loaded. */
  readonly hasKernels?: boolean;
  /**
   * Loads a stage. `read` delivers each weight's bytes when asked, one at a time, so that the caller never holds
   * the stage twice. Throws MEMORY_BUDGET_EXCEEDED before reading anything, ENGINE_FAILED, CANCELLED.
   */
  load(
    graph: StageGraph,
    read: (weight: WeightSpec) => Promise<Uint8Array>,
    options: LoadOptions,
  ): Promise<LoadedStage>;
  measure(): Promise<Measurement>;
  close(): Promise<void>;
}
