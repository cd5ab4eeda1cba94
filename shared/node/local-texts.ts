import { AiloError } from '../errors/index.ts';
import { loadTextCodec } from '../model/text.ts';
import type { ModelSource } from '../model/types.ts';
import { type Campaign, modelOf } from '../train/campaign/campaign.ts';

/** Texts that a person chose to have learned from. They are read here and go nowhere. */
export interface LocalTexts {
  read(): Promise<string[]>;
  /** In how many rounds of a campaign something was handed in that was learned from them. */
  roundsOf(campaign: string): Promise<number>;
  /** Called before what was learned in a round is handed in. */
  note(campaign: string, round: number): Promise<void>;
}

/**
 * The texts one after the other as tokens of the campaign's tokenizer. Throws LOCAL_TEXT_MISSING,
 * TRAINING_TOKEN_UNKNOWN, and the errors of reading a tokenizer.
 */
export async function localTokens(
  texts: LocalTexts,
  campaign: Campaign,
  tokenizer: ModelSource,
  signal?: AbortSignal,
): Promise<Int32Array> {
  const all = await texts.read();
  if (all.length === 0) throw AiloError.of('LOCAL_TEXT_MISSING', {});
  const { encodeText, eosToken } = await loadTextCodec(tokenizer, signal);
  const { vocabSize } = modelOf(campaign);
  const end = eosToken === undefined ? [] : [eosToken];
  const tokens = Int32Array.from(all.flatMap((text) => [...encodeText(text), ...end]));
  const unknown = tokens.find((token) => !(token >= 0 && token < vocabSize));
  if (unknown !== undefined) throw AiloError.of('TRAINING_TOKEN_UNKNOWN', { token: unknown, vocabSize });
  return tokens;
}

/** Throws LOCAL_TEXT_SPENT where the campaign tells what its noise is worth, and one more sum would be more. */
export async function requireUnspent(texts: LocalTexts, { id, data }: Campaign): Promise<void> {
  if (data.mode !== 'local' || !data.noise || (await texts.roundsOf(id)) < data.noise.sums) return;
  throw AiloError.of('LOCAL_TEXT_SPENT', { campaign: id, sums: data.noise.sums });
}
