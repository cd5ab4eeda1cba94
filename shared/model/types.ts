/** What the rest knows of a model: where its bytes are, what its configuration says, where a tensor lies. */

/** Random access to the files of a model in Hugging Face layout: a folder, a coordinator, the hub. */
export interface ModelSource {
  /** The whole file. Throws MODEL_FILE_MISSING, MODEL_FILE_TOO_LARGE (before reading it), MODEL_SOURCE_FAILED. */
  readFile(path: string, limitBytes: number, signal?: AbortSignal): Promise<Uint8Array>;
  /** Bytes `start` (inclusive) to `end` (exclusive). A short answer throws MODEL_SOURCE_FAILED. */
  readRange(path: string, start: number, end: number, signal?: AbortSignal): Promise<Uint8Array>;
  /** Bytes of the file; throws MODEL_FILE_MISSING. */
  size(path: string, signal?: AbortSignal): Promise<number>;
}

/** Chunks by the SHA-256 (hex) of their bytes. `get` verifies on read-back and forgets what no longer fits. */
export interface ChunkStore {
  get(hash: string): Promise<Uint8Array | undefined>;
  /** `model` is what it is a part of, for people who want to know what is stored. */
  put(hash: string, bytes: Uint8Array, model: string): Promise<void>;
}

export const FAMILIES = ['llama', 'gpt2', 'qwen2', 'mixtral'] as const;
export type Family = (typeof FAMILIES)[number];

/** `config.json` in one vocabulary for all families. Sizes are element counts. */
export interface ModelConfig {
  family: Family;
  layers: number;
  hiddenSize: number;
  /** Of the MLP, or of each expert. */
  intermediateSize: number;
  /** Mixture of experts: a router chooses `perToken` of `count` MLPs for each token. Absent: one MLP. */
  experts?: { count: number; perToken: number };
  heads: number;
  kvHeads: number;
  headDim: number;
  vocabSize: number;
  /** Longest sequence the model was trained for, tokens. */
  maxPositions: number;
  normEpsilon: number;
  activation: 'silu' | 'gelu' | 'gelu_tanh';
  /** Absent: learned positions (gpt2). */
  rope?: { theta: number; scaling?: Llama3RopeScaling };
  tiedHead: boolean;
  bosToken?: number;
  /** A sequence ends with any of them. */
  eosTokens: number[];
}

/** Llama 3.1's rope_scaling of type `llama3`. */
export interface Llama3RopeScaling {
  factor: number;
  lowFrequencyFactor: number;
  highFrequencyFactor: number;
  originalMaxPositions: number;
}

/** Every dtype a safetensors file may have; `readFloat32` reads F32, F16 and BF16. */
export const STORED_DTYPES = [
  'F64',
  'F32',
  'F16',
  'BF16',
  'F8_E4M3',
  'F8_E5M2',
  'F8_E8M0',
  'F6_E2M3',
  'F6_E3M2',
  'F4',
  'C64',
  'I64',
  'U64',
  'I32',
  'U32',
  'I16',
  'U16',
  'I8',
  'U8',
  'BOOL',
] as const;
export type StoredDtype = (typeof STORED_DTYPES)[number];

export interface TensorInfo {
  /** The safetensors file it lies in. */
  path: string;
  dtype: StoredDtype;
  shape: number[];
  /** Bytes within the file. */
  start: number;
  end: number;
}

/**
 * The tensors of a model, of one safetensors file or a sharded index. Names are found with or without the prefix
 * (`model.`, `transformer.`) that some checkpoints of a family have and others lack.
 */
export interface WeightReader {
  has(name: string): boolean;
  /** Throws TENSOR_MISSING. */
  info(name: string): TensorInfo;
  /** The tensor as float32, row-major. Throws TENSOR_MISSING, TENSOR_INVALID and the source's errors. */
  readFloat32(name: string, signal?: AbortSignal): Promise<Float32Array>;
  /** As `readFloat32`, of a tensor's entries `start` to `end` (exclusive) along its first dimension alone. */
  readFloat32Rows(name: string, start: number, end: number, signal?: AbortSignal): Promise<Float32Array>;
}

/** What a person typed and what was answered, as every chat API has it. */
export interface ChatMessage {
  role: 'system' | 'user' | 'assistant';
  content: string;
}

/** Text ⇄ token ids of one model. */
export interface TextCodec {
  /** Token ids of a plain prompt, with the beginning-of-text token where the model has one. Throws PROMPT_EMPTY. */
  encodePrompt(text: string): number[];
  /**
   * Token ids of a conversation, by the model's chat template; a model without one continues the last user message.
   * Throws PROMPT_EMPTY, CHAT_TEMPLATE_INVALID (also when the template refuses the conversation).
   */
  encodeChat(messages: ChatMessage[]): number[];
  readonly hasChatTemplate: boolean;
  /** Token ids of a text that goes on with others: no special tokens, none for an empty one. */
  encodeText(text: string): number[];
  /** The token that ends a text or an answer, where tokenizer_config.json names one. */
  readonly eosToken: number | undefined;
  /**
   * The text of generated ids, special tokens left out. Some tokenizers drop the first space of a text: `prompt` tells
   * whether this one begins a text or continues one.
   */
  decode(ids: number[], prompt?: number[]): string;
  /**
   * Streams: feed ids one by one, get the text that has become certain (no half characters). All of it together is
   * `decode(ids, prompt)`.
   */
  stream(prompt: number[]): { push(id: number): string; end(): string };
}
