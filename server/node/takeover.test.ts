/** Real engines: in an int8 room the scales of a step depend on all its rows, so that only the same steps give the same. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { answer, createNetwork, hasStories } from './testing.ts';

const STAGES = 2;
const QUESTION = {
  prompt: 'Lily and Tom',
  maxNewTokens: 80,
  sampling: { temperature: 1, topK: 0, topP: 0.95, repetitionPenalty: 1.2, seed: 11 },
};

describe.skipIf(!hasStories)('an int8 room that loses one stage after the other', () => {
  it('draws the same tokens', async () => {
    const network = await createNetwork({ stages: STAGES, quant: 'int8' });
    onTestFinished(() => network.close());
    const requester = await network.addNode('requester');
    await network.addContributors(2 * STAGES);
    await network.ready(requester);

    const expected = await answer(requester, QUESTION);
    const disturbed = await answer(requester, QUESTION, (index, participants) => {
      if (index === 20) void network.nodes.get(participants[0]!)!.stop();
      if (index === 50) void network.nodes.get(participants[1]!)!.stop();
    });
    expect(disturbed.ids).toEqual(expected.ids);
    expect(expected.pausesMs).toEqual([]);
    expect(disturbed.pausesMs).toHaveLength(2);
  });
});
