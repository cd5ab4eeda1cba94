import { AiloError } from '../../../shared/errors/index.ts';
import type { FromNode } from '../../../shared/protocol/messages.ts';
import { isSignedBy, keysBytes, survivorsBytes } from '../../../shared/train/group/statements.ts';
import { type AskedStage, asked, type Group, type Saying, survivorsOf } from './group.ts';

const STAGE_OF = {
  groupKeys: 'keys',
  groupShared: 'shares',
  groupAgreed: 'agreement',
  groupRevealed: 'reveal',
} as const;
type AnswerType = keyof typeof STAGE_OF;
export type Answer = { [T in AnswerType]: { type: T; body: FromNode[T] } }[AnswerType];

export function isAnswer(message: { type: string; body: unknown }): message is Answer {
  return Object.hasOwn(STAGE_OF, message.type);
}

/** The stage that asks for it. */
export function stageOf({ type }: Answer): AskedStage {
  return STAGE_OF[type];
}

/**
 * What a member's message says in its group, checked: a signature must be the member's, shares must be one for each of
 * the others. Throws GROUP_ANSWER_INVALID.
 */
export function sayingOf(networkId: string, group: Group, wallet: string, { type, body }: Answer): Saying {
  const occasion = { networkId, unit: group.id };
  switch (type) {
    case 'groupKeys': {
      const { maskKey, boxKey, commitment, signature } = body;
      const answer = { maskKey, boxKey, commitment, signature };
      if (!isSignedBy(wallet, signature, keysBytes(occasion, answer))) throw invalid('its keys are not signed by it');
      return { stage: 'keys', answer };
    }
    case 'groupShared':
      return { stage: 'shares', answer: forEach(body.shares, asked(group, 'shares'), wallet, ({ sealed }) => sealed) };
    case 'groupAgreed': {
      const statement = survivorsBytes(occasion, group.keys, survivorsOf(group));
      if (!isSignedBy(wallet, body.signature, statement)) throw invalid('it agreed to something else');
      return { stage: 'agreement', answer: body.signature };
    }
    case 'groupRevealed': {
      const sharers = asked(group, 'updates');
      const strangers = body.shares.filter(({ node }) => !sharers.includes(node));
      if (strangers.length > 0) throw invalid('it shows shares of a stranger');
      return { stage: 'reveal', answer: Object.fromEntries(body.shares.map(({ node, share }) => [node, share])) };
    }
  }
}

function forEach<T extends { node: string }>(
  entries: readonly T[],
  members: readonly string[],
  wallet: string,
  sealedIn: (entry: T) => string,
): Record<string, string> {
  const found = Object.fromEntries(entries.map((entry) => [entry.node, sealedIn(entry)]));
  const others = members.filter((member) => member !== wallet);
  if (others.length !== entries.length || others.some((other) => !Object.hasOwn(found, other))) {
    throw invalid('it has not one share for each of the others');
  }
  return found;
}

function invalid(reason: string): AiloError {
  return AiloError.of('GROUP_ANSWER_INVALID', { reason });
}
