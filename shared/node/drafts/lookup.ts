/** Drafts without a model: what followed the last time that the text went like this. */
import { MAX_LOOKUP_TOKENS } from '../limits.ts';

/** A token that may come next. `order`: how many tokens before it were the same; a longer match is likelier right. */
export interface Draft {
  token: number;
  order: number;
}

export interface Drafter {
  /** The text goes on with this. */
  append(token: number): void;
  /** What may come after the text and `drafted`, if there is an idea. */
  next(drafted: readonly number[]): Draft | undefined;
}

/**
 * Prompt lookup (Saxena 2023; Yang et al. 2023, “Inference with Reference”): looks for the longest suffix, up to
 * MAX_LOOKUP_TOKENS, that the text has had before, and proposes the token after its latest place.
 */
export function createLookup(): Drafter {
  const text: number[] = [];
  /** By suffix: where the text went on after it. */
  const places = new Map<string, number>();

  return {
    append(token) {
      const end = text.length;
      for (let order = 1; order <= Math.min(MAX_LOOKUP_TOKENS, end); order++) {
        places.set(text.slice(end - order).join(), end);
      }
      text.push(token);
    },
    next(drafted) {
      const tail = [...text.slice(-MAX_LOOKUP_TOKENS), ...drafted].slice(-MAX_LOOKUP_TOKENS);
      for (let order = tail.length; order >= 1; order--) {
        const place = places.get(tail.slice(tail.length - order).join());
        if (place !== undefined) return { token: text[place]!, order };
      }
      return undefined;
    },
  };
}
