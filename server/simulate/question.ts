/** One question to a simulated network, with node programs that are ended while it is answered. */
import type { ChatMessage } from '../../shared/model/types.ts';
import type { AiloNode } from '../../shared/node/types.ts';
import type { Sampling } from '../../shared/sampler/types.ts';
import type { Timeline } from './figures.ts';
import type { Loss } from './losses.ts';

export interface Question {
  model: string;
  messages: ChatMessage[];
  maxNewTokens: number;
  sampling: Sampling;
}

export interface Answer extends Timeline {
  tokens: number[];
  /** How long it stood still for each node that was lost. */
  pausesMs: number[];
}

/** Asks, and ends who holds a stage when its time has come. Rejects as `AiloNode.chat`. */
export async function ask(
  requester: AiloNode,
  question: Question,
  losses: readonly Loss[],
  end: (address: string) => void,
  signal: AbortSignal,
): Promise<Answer> {
  const answer = {
    askedMs: performance.now(),
    tokensMs: [] as number[],
    tokens: [] as number[],
    pausesMs: [] as number[],
  };
  let participants: string[] = [];
  for await (const event of requester.chat(question, signal)) {
    if (event.kind === 'accepted') ({ participants } = event);
    if (event.kind !== 'token') continue;
    answer.tokensMs.push(performance.now());
    answer.tokens.push(event.token);
    if (event.pausedMs !== undefined) answer.pausesMs.push(event.pausedMs);
    for (const { stage, afterToken } of losses) if (afterToken === event.index) end(participants[stage]!);
  }
  return answer;
}
