/**
 * The first stage of a job that drafts: it runs ahead of the text with rows that may be right. Each token that comes back
 * either is the one that was drafted, and lets it run one further, or puts it back to where the draft was wrong.
 */
import { AiloError } from '../../errors/index.ts';
import { MAX_DRAFTS } from '../limits.ts';
import { isWorthDrafting } from './gain.ts';
import type { Draft, Drafter } from './lookup.ts';
import { type NextMark, PROMPT_MARK } from './marks.ts';
import type { Pace } from './pace.ts';

export interface FrontOptions {
  promptTokens: number;
  /** Rows that the sequence can have at most. */
  maxRows: number;
  mark: NextMark;
  drafter: Drafter;
  pace: Pace;
  /** Milliseconds of a steady clock. */
  now(): number;
}

/** Tokens that were drafted, and those of them that became the text. */
export interface DraftCount {
  made: number;
  right: number;
}

/** Rows to be run now, from `position` on; what was run from there before was wrong. */
export interface Ahead {
  position: number;
  ids: Int32Array;
}

export interface Front {
  /** `ids` are certain from `position` on. Undefined: their rows have been run, and nothing is worth drafting. */
  take(position: number, ids: Int32Array): Ahead | undefined;
  /** So far. */
  readonly count: DraftCount;
  /** The marks of rows that were given out. */
  marks(position: number, rows: number): Uint32Array;
}

export function createFront({ promptTokens, maxRows, mark, drafter, pace, now }: FrontOptions): Front {
  const text: number[] = [];
  /** Tokens whose rows have been run; those beyond the text are drafts. */
  const run: number[] = [];
  const marks: number[] = [];
  /** Of the drafts in `run`. */
  let drafts: Draft[] = [];
  const count = { made: 0, right: 0 };

  function learn(token: number): void {
    const position = text.length;
    const [draft, ...rest] = drafts;
    if (position > promptTokens) pace.returned(position - 1, now());
    if (draft) {
      const right = draft.token === token;
      pace.judged(draft.order, right);
      drafts = right ? rest : [];
      if (right) count.right++;
    }
    if (run[position] !== token) run.length = Math.min(run.length, position);
    text.push(token);
    drafter.append(token);
  }

  function push(token: number): void {
    const position = run.length;
    run.push(token);
    marks[position] = position < promptTokens ? PROMPT_MARK : mark(marks[position - 1] ?? PROMPT_MARK, token);
    pace.sent(position, now());
  }

  function draftAhead(): void {
    while (drafts.length < MAX_DRAFTS && run.length < maxRows) {
      const next = drafter.next(drafts.map(({ token }) => token));
      if (!next) return;
      const chances = drafts.map(({ order }) => pace.chance(order));
      if (!isWorthDrafting(chances, pace.chance(next.order), pace.costRatio())) return;
      drafts.push(next);
      count.made++;
      push(next.token);
    }
  }

  return {
    count,
    take(position, ids) {
      if (position > text.length) throw AiloError.of('POSITION_INVALID', { position, expected: text.length });
      // What is known already may come again after a replacement.
      for (const token of ids.subarray(text.length - position)) learn(token);
      const from = run.length;
      for (const token of text.slice(from)) push(token);
      draftAhead();
      return run.length > from ? { position: from, ids: Int32Array.from(run.slice(from)) } : undefined;
    },
    marks: (position, rows) => Uint32Array.from(marks.slice(position, position + rows)),
  };
}
