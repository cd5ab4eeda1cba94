/** Answers that are computed together, by a real coordinator and real nodes. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Quant } from '../../shared/graph/types.ts';
import { GREEDY } from '../../shared/sampler/types.ts';
import { answer, createNetwork, hasStories, type Member, type Network } from './testing.ts';

const STAGES = 3;
const TOKENS = 40;
const LONG = 'Lily had a red ball. She played with it in the park every day. '.repeat(6);
/** Of different lengths, one of them longer than a step. */
const PROMPTS = ['Once upon a time', 'Lily', LONG, 'The dog', 'Tom and Ben went', 'One day, a', 'Mom said', 'A big'];

describe.skipIf(!hasStories).each(['f32', 'int8'] as Quant[])('eight answers at once in %s', (quant) => {
  let network: Network;
  const requesters: Member[] = [];

  beforeAll(async () => {
    network = await createNetwork({ stages: STAGES, quant });
    await network.addContributors(STAGES);
    // Each may ask for four at once.
    for (let i = 0; i < 2; i++) requesters.push(await network.addNode(`requester-${i}`));
    for (const requester of requesters) await network.ready(requester);
  }, 120_000);
  afterAll(() => network?.close());

  async function ask(index: number): Promise<number[]> {
    const question = { prompt: PROMPTS[index]!, maxNewTokens: TOKENS, sampling: GREEDY };
    return (await answer(requesters[index % 2]!, question)).ids;
  }

  it('are those of one at a time', async () => {
    const alone: number[][] = [];
    for (const index of PROMPTS.keys()) alone.push(await ask(index));
    expect(new Set(alone.map(String)).size).toBeGreaterThan(4);
    for (let round = 0; round < 2; round++) {
      expect(await Promise.all(PROMPTS.map((_, index) => ask(index)))).toEqual(alone);
    }
  }, 120_000);
});
