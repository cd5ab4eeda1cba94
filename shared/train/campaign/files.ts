/** What a campaign keeps of its model's tokenizer. */
export const TOKENIZER_FILES = ['tokenizer.json', 'tokenizer_config.json'] as const;
