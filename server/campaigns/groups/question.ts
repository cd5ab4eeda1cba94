import type { FromCoordinator } from '../../../shared/protocol/messages.ts';
import { type AskedStage, asked, type Group, STAGES, survivorsOf } from './group.ts';

type GroupMessages = 'group' | 'groupPeers' | 'groupShares' | 'groupSurvivors' | 'groupReveal';
export type Question = { [T in GroupMessages]: { type: T; body: FromCoordinator[T] } }[GroupMessages];

/** What a member is told at the group's stage, which it answers; undefined where there is nothing to ask. */
export function questionOf(campaign: string, group: Group, wallet: string): Question | undefined {
  const stage = STAGES.find((stage) => stage === group.stage);
  return stage && questions[stage]({ campaign, unit: group.id }, group, wallet);
}

type Common = { campaign: string; unit: string };

const questions: { [S in AskedStage]: (common: Common, group: Group, wallet: string) => Question } = {
  keys: (common, { round, start, members, threshold }) => ({
    type: 'group',
    body: { ...common, round, start, members: [...members], threshold },
  }),
  shares: (common, { keys }) => ({
    type: 'groupPeers',
    body: { ...common, peers: Object.entries(keys).map(([node, own]) => ({ node, ...own })) },
  }),
  updates: (common, group, wallet) => ({
    type: 'groupShares',
    body: {
      ...common,
      shares: asked(group)
        .filter((node) => node !== wallet)
        .map((node) => ({ node, sealed: group.shares[node]![wallet]! })),
    },
  }),
  agreement: (common, group) => ({
    type: 'groupSurvivors',
    body: { ...common, survivors: survivorsOf(group) },
  }),
  reveal: (common, { agreement }) => ({
    type: 'groupReveal',
    body: { ...common, signatures: Object.entries(agreement).map(([node, signature]) => ({ node, signature })) },
  }),
};
