/** The built-in model's vocabulary, learned from its own corpus, and how a question is put to it. */
import { bpeTokenizer } from '../train/bpe.ts';
import type { Dialogue } from './dialogues.ts';

const VOCABULARY = 2048;
const [USER, ASSISTANT, END] = ['<|user|>', '<|assistant|>', '<|end|>'];
/** Each question stands alone: the model was never shown more than one. */
const CHAT_TEMPLATE = `{%- set asked = messages | selectattr('role', 'equalto', 'user') | list -%}
${USER}{{ asked[-1].content | trim }}${ASSISTANT}`;

/** The files of the tokenizer by name, as Hugging Face has them. */
export function guideTokenizer(dialogues: readonly Dialogue[]): Record<string, object> {
  const texts = dialogues.flatMap(({ question, answer }) => [question, answer]);
  return {
    'tokenizer.json': bpeTokenizer(texts, [USER!, ASSISTANT!, END!], VOCABULARY),
    'tokenizer_config.json': {
      tokenizer_class: 'PreTrainedTokenizerFast',
      eos_token: END,
      chat_template: CHAT_TEMPLATE,
    },
  };
}
