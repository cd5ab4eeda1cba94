/** Dialogues of a `.jsonl` file, one conversation a line as every chat API has it, as a model's own tokens. */
import * as v from 'valibot';
import type { TextCodec } from '../../shared/model/types.ts';
import type { Dialogue } from '../../shared/train/dialogues.ts';
import { MAX_DIALOGUE_MESSAGES } from '../../shared/train/limits.ts';
import { usage } from '../cli.ts';

const Line = v.object({
  messages: v.pipe(
    v.array(v.object({ role: v.picklist(['system', 'user', 'assistant']), content: v.string() })),
    v.minLength(2),
    v.maxLength(MAX_DIALOGUE_MESSAGES),
  ),
});

/**
 * Each line is `{"messages": [{"role", "content"}, …]}` and ends with the assistant's answer, which alone is learned.
 * Throws USAGE for a line that is none, and for a model that has no chat template or no token to end an answer with.
 */
export function tokenisedDialogues(text: string, codec: TextCodec): Dialogue[] {
  const { eosToken } = codec;
  if (!codec.hasChatTemplate || eosToken === undefined) {
    throw usage(
      '--data holds dialogues, but the tokenizer has no chat template, or no eos_token to end an answer with',
    );
  }
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return lines.map((line, index) => {
    const { messages } = parsed(line, index + 1);
    const answer = messages.at(-1)!;
    if (answer.role !== 'assistant') throw usage(`--data: line ${index + 1} does not end with the assistant's answer`);
    const prompt = codec.encodeChat(messages.slice(0, -1));
    const tokens = Int32Array.from([...prompt, ...codec.encodeText(answer.content), eosToken]);
    return { tokens, answerStart: prompt.length };
  });
}

function parsed(line: string, number: number): v.InferOutput<typeof Line> {
  try {
    return v.parse(Line, JSON.parse(line));
  } catch (error) {
    throw usage(`--data: line ${number} is no dialogue: ${(error as Error).message}`);
  }
}
