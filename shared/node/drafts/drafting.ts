/** A job that drafts, as its first and its last stage see it. */
import type { FromCoordinator } from '../../protocol/messages.ts';
import type { Frame } from '../../tensor/frame.ts';
import type { StageShape } from '../step.ts';
import { createFront, type DraftCount } from './front.ts';
import { createLookup } from './lookup.ts';
import { markWith } from './marks.ts';
import { createPace } from './pace.ts';
import { createVerdict, type Verdict } from './verdict.ts';

export interface Drafting {
  /** Of the first stage: the rows to run in place of a frame's, if any; their marks; what has been drafted. */
  front?(frame: Frame): Frame | undefined;
  marks?(position: number, rows: number): Uint32Array;
  count?: DraftCount;
  /** Of the last stage. */
  verdict?: Verdict;
}

/** Undefined for the stages between, and for jobs that do not draft. */
export function draftingOf(
  { draft, promptTokens, sample }: Pick<FromCoordinator['jobOpen'], 'draft' | 'promptTokens' | 'sample'>,
  { takes }: Pick<StageShape, 'takes'>,
  now: () => number,
): Drafting | undefined {
  if (!draft) return undefined;
  const mark = markWith(draft.key);
  if (sample) return { verdict: createVerdict(promptTokens, sample.answered, mark) };
  if (takes !== 'tokens') return undefined;
  const { maxRows } = draft;
  const front = createFront({ promptTokens, maxRows, mark, drafter: createLookup(), pace: createPace(), now });
  return {
    count: front.count,
    marks: front.marks,
    front(frame) {
      if (frame.kind !== 'tokens') return frame;
      const ahead = front.take(frame.position, frame.ids);
      return ahead && { ...frame, ...ahead };
    },
  };
}
