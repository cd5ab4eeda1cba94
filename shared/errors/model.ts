/** Errors of reading a model: its configuration, weights, tokenizer and chunks. */
export const modelSentences = {
  MODEL_FAMILY_UNKNOWN: (d: { family: string }) =>
    `This model is of the family “${d.family}”, which Ailo cannot run; it runs llama, gpt2, qwen2 and mixtral.`,
  MODEL_CONFIG_INVALID: (d: { reason: string }) => `The model's config.json cannot be used: ${d.reason}.`,
  MODEL_FILE_MISSING: (d: { path: string }) => `The model has no file “${d.path}”.`,
  MODEL_FILE_TOO_LARGE: (d: { path: string; bytes: number; limitBytes: number }) =>
    `The model's file “${d.path}” has ${d.bytes} bytes, more than the ${d.limitBytes} allowed for it.`,
  MODEL_SOURCE_FAILED: (d: { path: string; reason: string }) =>
    `The model's file “${d.path}” could not be read: ${d.reason}.`,
  HUB_TOKEN_NEEDED: (d: { repo: string }) =>
    `The hub gives ${d.repo} only to those who accepted its terms there: accept them, then give Ailo a token that may read it (HF_TOKEN or --token-file).`,
  HUB_TOKEN_INVALID: (d: { reason: string }) => `The hub token cannot be used: ${d.reason}.`,
  ADDED_MODELS_INVALID: (d: { path: string; reason: string }) =>
    `The list of added models in ${d.path} cannot be used: ${d.reason}.`,
  TENSOR_MISSING: (d: { name: string }) => `The model's weights have no tensor “${d.name}”.`,
  TENSOR_INVALID: (d: { name: string; reason: string }) => `The tensor “${d.name}” cannot be used: ${d.reason}.`,
  SAFETENSORS_HEADER_INVALID: (d: { path: string; reason: string }) =>
    `“${d.path}” is not a usable safetensors file: ${d.reason}.`,
  ADAPTER_INVALID: (d: { reason: string }) => `The adapter cannot be used: ${d.reason}.`,
  MANIFEST_INVALID: (d: { reason: string }) => `The model's manifest cannot be used: ${d.reason}.`,
  CHUNK_HASH_MISMATCH: (d: { path: string; chunk: number }) =>
    `Chunk ${d.chunk} of “${d.path}” is not what the model's manifest promises, so it was thrown away.`,
  TOKENIZER_INVALID: (d: { reason: string }) => `The model's tokenizer cannot be used: ${d.reason}.`,
  CHAT_TEMPLATE_INVALID: (d: { reason: string }) => `The model's chat template cannot be used: ${d.reason}.`,
  PROMPT_TOO_LONG: (d: { tokens: number; contextLength: number }) =>
    `The prompt has ${d.tokens} tokens, but this model reads at most ${d.contextLength - 1} and needs room to answer.`,
  PROMPT_EMPTY: (_: Record<never, never>) =>
    'The prompt is empty and this model has no token that begins a text: please write something.',
};
