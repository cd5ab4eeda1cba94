/** How well the built-in model answers what it was never trained on. */
import type { Entry } from '../../shared/guide/corpus.ts';
import { type Dialogue, dialoguesOf } from '../../shared/guide/dialogues.ts';
import type { Asked } from './ask.ts';
import { CORPUS_SEED } from './corpus.ts';

export interface Mark {
  asked: number;
  /** Answers that are the expected text to the letter. */
  exact: number;
}

export interface Report {
  /** Other wordings of patterns that were trained on. */
  wordings: Mark;
  /** Questions of which nothing alike was trained on. */
  patterns: Mark;
  /** Of both, what is not about Ailo: whether it says so; and what is about Ailo: whether it says it is not. */
  offTopic: { asked: number; refused: number };
  onTopic: { asked: number; refused: number };
}

/** A question that went wrong. */
export type Miss = Dialogue & { got: string };

/** The questions that `stride` picks, each `stride`th of a kind. `onMiss` is told of what is not exact. */
export async function examine(
  entries: readonly Entry[],
  { answer }: Asked,
  stride: number,
  onMiss: (miss: Miss) => void = () => {},
): Promise<Report> {
  const { held } = dialoguesOf(entries, CORPUS_SEED);
  const refusal = entries.find(({ isBroad }) => isBroad)!.answer;
  const report: Report = {
    wordings: { asked: 0, exact: 0 },
    patterns: { asked: 0, exact: 0 },
    offTopic: { asked: 0, refused: 0 },
    onTopic: { asked: 0, refused: 0 },
  };
  for (const kind of ['wordings', 'patterns'] as const) {
    for (const dialogue of held[kind].filter((_, i) => i % stride === 0)) {
      const got = await answer(dialogue.question);
      const isExact = got === dialogue.answer;
      const topic = dialogue.answer === refusal ? report.offTopic : report.onTopic;
      report[kind].asked++;
      report[kind].exact += Number(isExact);
      topic.asked++;
      topic.refused += Number(got === refusal);
      if (!isExact) onMiss({ ...dialogue, got });
    }
  }
  return report;
}
