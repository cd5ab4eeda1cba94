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
  /** `data` is row-major [rows, hiddenSize], float32. */
  | { kind: 'hidden'; rows: number; data: Float32Array };

/** What a stage produces: hidden states of every row, or (a stage that ends with the head) the logits of the last. */
export type StageOutput =
  | { kind: 'hidden'; rows: number; data: Float32Array }
  /** `data` is [vocabSize], float32: the last row only. */
  | { kind: 'logits'; data: Float32Array };

export interface StageStep {
  /** Names the KV cache; the first step of a new sequence has position 0. */
  sequence: string;
  /** Rows already cached before this step; anything else than the cache's own count is `POSITION_INVALID`. */
  position: number;
  input: StageInput;
}

export interface LoadedStage {
  /** Throws POSITION_INVALID, CONTEXT_FULL, STAGE_RELEASED, ENGINE_FAILED. Steps of one runtime run one at a time. */
  run(step: StageStep): Promise<StageOutput>;
  /** Forgets a sequence and frees its cache; unknown sequences are fine. */
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
