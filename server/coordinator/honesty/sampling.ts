/** Which stages of an answer are checked, and by whom. Pure; chance is passed in. */

import type { HolderView, Job, RoomView } from '../job.ts';
import { shuffle } from '../room.ts';
import { holdersOf, isAccountable } from './audit.ts';
import { MAX_CHECKS_PER_ANSWER } from './limits.ts';
import { checkRate, type Trust } from './trust.ts';

export interface Choice {
  random(): number;
  trustOf(node: string): Trust;
  /** Jobs and checks on each assignment. */
  load(assignment: string): number;
}

/**
 * Each stage with the probability that its holder's trust asks for, of those that another node holds too, and that can be
 * held to something. In rooms of many stages MAX_CHECKS_PER_ANSWER of them by lot.
 */
export function drawStages(job: Job, room: RoomView, choice: Choice): number[] {
  // What came in is what the one before sent.
  const isBound = (stage: number) => isAccountable(job, stage) && (stage === 0 || isAccountable(job, stage - 1));
  const drawn = [...job.stages.keys()].filter(isBound).filter((stage) => {
    const { node } = job.stages[stage]!;
    const isDrawn = choice.random() < checkRate(choice.trustOf(node));
    return isDrawn && chooseChecker(job, stage, room, new Set(), choice) !== undefined;
  });
  return shuffle(drawn, choice.random).slice(0, MAX_CHECKS_PER_ANSWER);
}

/**
 * Another holder of the stage with room for a sequence, drawn by lot, who is trusted more often than who is new; never
 * one of `tried`, who asked, or who computed any of the answer.
 */
export function chooseChecker(
  job: Job,
  stage: number,
  room: RoomView,
  tried: ReadonlySet<string>,
  { random, trustOf, load }: Choice,
): HolderView | undefined {
  const involved = new Set([job.requester, ...job.former, ...job.stages.map(({ node }) => node)]);
  const able = holdersOf(room, job.stages[stage]!).filter(
    ({ node, assignment, ready, awaySinceMs }) =>
      ready &&
      awaySinceMs === undefined &&
      !tried.has(node) &&
      !involved.has(node) &&
      load(assignment) < room.maxSequences,
  );
  const weights = able.map(({ node }) => 1 + Math.sqrt(trustOf(node).passes));
  let left = random() * weights.reduce((sum, weight) => sum + weight, 0);
  return able.find((_, i) => {
    left -= weights[i]!;
    return left < 0;
  });
}
