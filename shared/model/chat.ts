import { Template } from '@huggingface/jinja';
import * as v from 'valibot';
import { AiloError } from '../errors/index.ts';
import { MAX_CHAT_TEMPLATE_BYTES } from './limits.ts';
import { readOptional } from './optional.ts';
import type { ChatMessage, ModelSource } from './types.ts';

const TEMPLATE_FILE = 'chat_template.jinja';

/** `chat_template` of tokenizer_config.json: one template, or several by name. */
export const ChatTemplateField = v.nullish(
  v.union([
    v.pipe(v.string(), v.maxLength(MAX_CHAT_TEMPLATE_BYTES)),
    v.pipe(
      v.array(v.object({ name: v.string(), template: v.pipe(v.string(), v.maxLength(MAX_CHAT_TEMPLATE_BYTES)) })),
      v.maxLength(64),
    ),
  ]),
);

/** Renders a conversation up to where the assistant's answer begins. Throws CHAT_TEMPLATE_INVALID. */
export type ChatTemplate = (messages: ChatMessage[]) => string;

/**
 * The template of chat_template.jinja, else of tokenizer_config.json (of several the one named `default`), as
 * transformers has it. `specialTokens` (bos_token, …) are variables of the template. Throws CHAT_TEMPLATE_INVALID.
 */
export async function loadChatTemplate(
  source: ModelSource,
  field: v.InferOutput<typeof ChatTemplateField>,
  specialTokens: Record<string, string>,
  signal?: AbortSignal,
): Promise<ChatTemplate | undefined> {
  const file = await readOptional(source, TEMPLATE_FILE, MAX_CHAT_TEMPLATE_BYTES, signal);
  const text = file === undefined ? defaultTemplate(field) : new TextDecoder().decode(file);
  if (text === undefined) return undefined;
  const template = orInvalid(() => new Template(text));
  return (messages) =>
    orInvalid(() => template.render({ ...specialTokens, messages, tools: null, add_generation_prompt: true }));
}

function defaultTemplate(field: v.InferOutput<typeof ChatTemplateField>): string | undefined {
  if (Array.isArray(field)) return field.find(({ name }) => name === 'default')?.template;
  return field ?? undefined;
}

/** Whatever the template engine throws is the template's fault, or its own `raise_exception`. */
function orInvalid<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw AiloError.of('CHAT_TEMPLATE_INVALID', { reason: (error as Error).message.slice(0, 200) }, error);
  }
}
