/** Every limit on what a model's files may be, in one place. Sizes in bytes unless the name says otherwise. */

export const MAX_CONFIG_BYTES = 2 ** 20;
/** The reference implementation's own limit for a safetensors header. */
export const MAX_SAFETENSORS_HEADER_BYTES = 100_000_000;
export const MAX_WEIGHT_INDEX_BYTES = 64 * 2 ** 20;
export const MAX_SHARDS = 1024;
export const MAX_TENSOR_RANK = 8;
/** One tensor is converted in one piece: 8 GiB as float32. */
export const MAX_TENSOR_ELEMENTS = 2 ** 31;
export const MAX_TOKENIZER_BYTES = 64 * 2 ** 20;
export const MAX_CHAT_TEMPLATE_BYTES = 2 ** 20;
/** Of a low-rank adapter. */
export const MAX_ADAPTER_RANK = 1024;

export const MIN_CHUNK_BYTES = 64 * 2 ** 10;
export const DEFAULT_CHUNK_BYTES = 2 ** 20;
export const MAX_CHUNK_BYTES = 64 * 2 ** 20;
export const MAX_MANIFEST_BYTES = 32 * 2 ** 20;
export const MAX_MANIFEST_FILES = MAX_SHARDS + 32;
/** Chunks that one read asks for at the same time. */
export const MAX_PARALLEL_CHUNKS = 6;

/** A place that failed is not asked for so long; then for twice as long, up to the last. */
export const FIRST_SOURCE_BAN_MS = 1_000;
export const LAST_SOURCE_BAN_MS = 300_000;
/** A download of which nothing arrives for so long is given up. */
export const STALL_TIMEOUT_MS = 30_000;
