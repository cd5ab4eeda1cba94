/** The last stage of a job that drafts: which rows it computes, by their marks. */
import { type NextMark, PROMPT_MARK } from './marks.ts';

export interface Verdict {
  /** Whether the rows are the next of the text as it stands; all others were drafts gone wrong, or came twice. */
  admits(step: { position: number; rows: number }, marks: Uint32Array | undefined): boolean;
  /** The text goes on with this. */
  append(token: number): void;
}

/** @param answered what the answer has so far */
export function createVerdict(promptTokens: number, answered: readonly number[], next: NextMark): Verdict {
  /** Of the rows of the answer's tokens. */
  const expected: number[] = [];
  let computed = 0;
  const append = (token: number) => void expected.push(next(expected.at(-1) ?? PROMPT_MARK, token));
  for (const token of answered) append(token);

  return {
    append,
    admits({ position, rows }, marks) {
      if (position !== computed) return false;
      const isPrompt = position + rows <= promptTokens;
      const mark = rows === 1 ? marks?.[0] : undefined;
      if (!isPrompt && (mark === undefined || mark !== expected[position - promptTokens])) return false;
      computed = position + rows;
      return true;
    },
  };
}
