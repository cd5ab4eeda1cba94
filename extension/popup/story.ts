/** How the turns of a conversation are shown: talk as talk, continued text as one story. */
import type { ModelListing } from '../../shared/protocol/messages.ts';
import type { Turn } from '../state.ts';

export type Entry =
  | { kind: 'question'; turn: Turn }
  | { kind: 'answer'; turn: Turn; question?: Turn }
  /** A model that was not trained to chat went on with the person's text. */
  | { kind: 'story'; turn: Turn; question: Turn };

export function entriesOf(turns: Turn[], models: ModelListing[]): Entry[] {
  const continues = new Set(models.filter(({ chat }) => !chat).map(({ id }) => id));
  const entries: Entry[] = [];
  for (const turn of turns) {
    const last = entries.at(-1);
    const question = last?.kind === 'question' ? last.turn : undefined;
    if (turn.role === 'user') {
      entries.push({ kind: 'question', turn });
    } else if (question && continues.has(turn.model)) {
      entries.pop();
      entries.push({ kind: 'story', turn, question });
    } else {
      entries.push({ kind: 'answer', turn, ...(question && { question }) });
    }
  }
  return entries;
}

/** The model that a question goes to: the chosen one, else the first that can answer, else the first. */
export function pickModel(models: ModelListing[], chosen: string): ModelListing | undefined {
  return models.find(({ id }) => id === chosen) ?? models.find(({ ready, stages }) => ready === stages) ?? models[0];
}

/** Why nothing can be asked now; undefined: it can. */
export function obstacleOf(model: ModelListing | undefined, isConnected: boolean): string | undefined {
  if (!isConnected) return 'There is no connection to the network at the moment.';
  if (!model) return 'The network serves no model at the moment.';
  if (model.ready < model.stages) {
    return `${model.name} needs more contributors: ${model.ready} of its ${model.stages} parts are loaded.`;
  }
  return undefined;
}
