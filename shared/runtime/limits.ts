/** Every limit of running stages, in one place. */

/** Sequences that one stage may be told to keep caches for. */
export const MAX_SEQUENCES = 256;
/** How long the speed is measured; the slowest engine (WebGPU in software) overruns by one product. */
export const MEASURE_MS = 100;
/** Of an engine's error message, what goes into ours. */
export const MAX_REASON_CHARACTERS = 200;
