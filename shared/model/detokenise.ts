/** Token ids → text, in one piece or as they come. Every text here is of ids that have text (no special tokens). */

export type DecodeIds = (ids: number[]) => string;

/** What a decoder makes of bytes that are not (yet) a character. */
const REPLACEMENT = '\ufffd';
/** Ids to the left of an answer that decide about its first space and complete its first character. */
const CONTEXT_IDS = 8;

/** The text that `ids` add after `context`: a decoder drops the first space of a text, but not of a continuation. */
export function decodeAfter(decode: DecodeIds, context: number[], ids: number[]): string {
  if (ids.length === 0) return '';
  const left = context.slice(-CONTEXT_IDS);
  return decode([...left, ...ids]).slice(certainLength(decode(left)));
}

/**
 * Feeds ids one by one. Text is held back while it ends within a character; what was given out never changes, and all
 * of it together is `decodeAfter` of all ids. Only the ids since the last certain text are decoded again.
 */
export function incrementalDecoder(decode: DecodeIds, context: number[]) {
  // `left` was given out already and is decoded along for its effect on what follows; `pending` was not.
  let left = context.slice(-CONTEXT_IDS);
  let leftLength = certainLength(decode(left));
  let pending: number[] = [];
  const take = (text: string): string => {
    const fresh = text.slice(leftLength);
    left = pending;
    pending = [];
    leftLength = decode(left).length;
    return fresh;
  };
  return {
    push(id: number): string {
      pending.push(id);
      const text = decode([...left, ...pending]);
      return text.length > leftLength && !text.endsWith(REPLACEMENT) ? take(text) : '';
    },
    end(): string {
      return pending.length === 0 ? '' : take(decode([...left, ...pending]));
    },
  };
}

/** Length without the characters that are still incomplete at the end. */
function certainLength(text: string): number {
  let length = text.length;
  while (length > 0 && text[length - 1] === REPLACEMENT) length--;
  return length;
}
