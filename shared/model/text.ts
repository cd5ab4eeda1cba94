import { Tokenizer } from '@huggingface/tokenizers';
import * as v from 'valibot';
import { AiloError } from '../errors/index.ts';
import { type ChatTemplate, ChatTemplateField, loadChatTemplate } from './chat.ts';
import { decodeAfter, incrementalDecoder } from './detokenise.ts';
import { decodeJson, parseValue } from './json.ts';
import { MAX_TOKENIZER_BYTES } from './limits.ts';
import { readOptional } from './optional.ts';
import type { ModelSource, TextCodec } from './types.ts';

const SPECIAL_TOKENS = [
  'bos_token',
  'eos_token',
  'unk_token',
  'sep_token',
  'pad_token',
  'cls_token',
  'mask_token',
] as const;
const SpecialToken = v.nullish(v.union([v.string(), v.object({ content: v.string() })]));

const TokenizerConfig = v.object({
  ...(Object.fromEntries(SPECIAL_TOKENS.map((name) => [name, SpecialToken])) as Record<
    (typeof SPECIAL_TOKENS)[number],
    typeof SpecialToken
  >),
  chat_template: ChatTemplateField,
});

/** What Tokenizer itself takes for granted. */
const TokenizerFile = v.looseObject({
  model: v.looseObject({ vocab: v.union([v.record(v.string(), v.unknown()), v.array(v.unknown())]) }),
  added_tokens: v.array(v.looseObject({ id: v.number(), content: v.string() })),
});

const invalid = (reason: string, cause?: unknown) => AiloError.of('TOKENIZER_INVALID', { reason }, cause);

/**
 * The tokenizer of `tokenizer.json` with its `tokenizer_config.json` and chat template, where a model has them.
 * Throws TOKENIZER_INVALID, CHAT_TEMPLATE_INVALID and the source's errors.
 */
export async function loadTextCodec(source: ModelSource, signal?: AbortSignal): Promise<TextCodec> {
  const json = decodeJson(await source.readFile('tokenizer.json', MAX_TOKENIZER_BYTES, signal), invalid);
  const configBytes = await readOptional(source, 'tokenizer_config.json', MAX_TOKENIZER_BYTES, signal);
  const config = configBytes === undefined ? {} : decodeJson(configBytes, invalid);
  const fields = parseValue(TokenizerConfig, config, invalid);
  const specialTokens: Record<string, string> = {};
  for (const name of SPECIAL_TOKENS) {
    const token = fields[name];
    if (token != null) specialTokens[name] = typeof token === 'string' ? token : token.content;
  }
  const template = await loadChatTemplate(source, fields.chat_template, specialTokens, signal);
  return codecOf(makeTokenizer(json, config as object), specialTokens, template);
}

/** One more than the largest token id of a `tokenizer.json`. Throws TOKENIZER_INVALID. */
export function tokenizerVocabSize(bytes: Uint8Array): number {
  const { model, added_tokens } = parseValue(TokenizerFile, decodeJson(bytes, invalid), invalid);
  const ids = Array.isArray(model.vocab) ? model.vocab.keys() : Object.values(model.vocab);
  let largest = -1;
  for (const id of [...ids, ...added_tokens.map(({ id }) => id)]) {
    if (!(Number.isInteger(id) && Number(id) >= 0)) throw invalid('a token has no id');
    largest = Math.max(largest, Number(id));
  }
  return largest + 1;
}

function makeTokenizer(json: unknown, config: object): Tokenizer {
  parseValue(TokenizerFile, json, invalid);
  try {
    return new Tokenizer(json as object, config);
  } catch (error) {
    throw invalid((error as Error).message.slice(0, 200), error);
  }
}

function codecOf(
  tokenizer: Tokenizer,
  { bos_token: bosToken, eos_token: eosToken }: Record<string, string>,
  template: ChatTemplate | undefined,
): TextCodec {
  const special = new Set<number>();
  for (const [id, token] of tokenizer.get_added_tokens_decoder()) if (token.special) special.add(id);
  /** Special tokens have no text; a vocabulary that was padded for speed has ids without a token. */
  const hasText = (id: number) => !special.has(id) && tokenizer.id_to_token(id) !== undefined;
  const decode = (ids: number[]) =>
    ids.length === 0 ? '' : tokenizer.decode(ids, { clean_up_tokenization_spaces: false });

  const encode = (text: string, addSpecialTokens: boolean): number[] => {
    const { ids } = tokenizer.encode(text, { add_special_tokens: addSpecialTokens });
    if (ids.length > 0) return ids;
    const bos = bosToken === undefined ? undefined : tokenizer.token_to_id(bosToken);
    if (bos === undefined) throw AiloError.of('PROMPT_EMPTY', {});
    return [bos];
  };
  const encodePrompt = (text: string) => encode(text, true);

  return {
    hasChatTemplate: template !== undefined,
    eosToken: eosToken === undefined ? undefined : tokenizer.token_to_id(eosToken),
    encodePrompt,
    encodeText: (text) => tokenizer.encode(text, { add_special_tokens: false }).ids,
    encodeChat(messages) {
      if (template === undefined) {
        return encodePrompt(messages.findLast(({ role }) => role === 'user')?.content ?? '');
      }
      // The template writes the special tokens itself, the first one too.
      return encode(template(messages), false);
    },
    decode: (ids, prompt = []) => decodeAfter(decode, prompt.filter(hasText), ids.filter(hasText)),
    stream(prompt) {
      const decoder = incrementalDecoder(decode, prompt.filter(hasText));
      return { push: (id) => (hasText(id) ? decoder.push(id) : ''), end: () => decoder.end() };
    },
  };
}
