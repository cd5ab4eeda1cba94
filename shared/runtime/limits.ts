/** Every limit of running stages, in one place. */
import type { Engine } from './types.ts';

/** Sequences that one stage may be told to keep caches for. */
export const MAX_SEQUENCES = 256;
/**
 * How often a stage's weights are in memory while it is loaded. onnxruntime-node maps them from files. onnxruntime-web
 * has them in JavaScript until all are in its heap, which holds what it packs twice and never shrinks: 1.4 GB were measured
 * for 633 MB. WebGPU's are in JavaScript, and in the GPU's memory, which often is the same.
 */
export const LOADING_COPIES = { node: 1, wasm: 2.25, webgpu: 2 } as const satisfies Record<Engine, number>;
/** How long the speed is measured; the slowest engine (WebGPU in software) overruns by one product. */
export const MEASURE_MS = 200;
/** Spans of it that are measured one by one: shorter than what a busy core gives a thread at a time, longer than clocks are coarse. */
export const MEASURE_SPAN_MS = 4;
/** Of an engine's error message, what goes into ours. */
export const MAX_REASON_CHARACTERS = 200;
