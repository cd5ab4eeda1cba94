import { describe, expect, it } from 'vitest';
import { campaignOf } from '../../server/campaigns/testing.ts';
import type { AiloError } from '../errors/index.ts';
import type { Campaign } from '../train/campaign/campaign.ts';
import type { Learner, WorkOptions } from '../train/campaign/worker.ts';
import { Wallet } from '../wallet/wallet.ts';
import { createTrainer } from './trainer.ts';
import type { Training } from './types.ts';

const UNIT = { campaign: 'tiny', unit: '11'.repeat(16), round: 0, start: 'aa'.repeat(32), shard: 0, seed: 1 };

/** A trainer whose learners work until they are told to stop, over a network that has whatever is asked for. */
function training(campaign: Campaign = campaignOf()) {
  const learners: { released: boolean }[] = [];
  const sent: [string, object][] = [];
  const shown: Training[] = [];
  const errors: AiloError[] = [];
  let started = () => {};
  const works = new Promise<void>((resolve) => {
    started = resolve;
  });
  const log = { debug() {}, info() {}, warn() {}, error() {} };
  const trainer = createTrainer({
    ...{ url: 'http://network.test', wallet: new Wallet(new Uint8Array(32).fill(1)), log },
    fetch: async (input) => {
      const { pathname } = new URL(String(input));
      if (pathname.endsWith('/tiny')) return Response.json(campaign);
      return new Response(new Uint8Array(pathname.includes('/shards/') ? 4 * 1000 : 8));
    },
    async createLearner() {
      const learner = { released: false };
      learners.push(learner);
      return {
        ...learnerOf(campaign, started),
        async release() {
          learner.released = true;
        },
      };
    },
    ...{ networkId: () => '22'.repeat(32), isOpen: () => true, schedule: () => () => {} },
    send: (type, body) => void sent.push([type, body]),
    onChange: (state) => shown.push(state),
    onError: (error) => errors.push(error),
  });
  return { trainer, learners, sent, shown, errors, works };
}

function learnerOf(campaign: Campaign, onWork: () => void): Learner {
  return {
    ...{ campaign, weightsHash: UNIT.start, weightsBytes: 8 },
    ...{ adopt: async () => {}, advance: async () => {}, settle: async () => {}, release: async () => {} },
    work: (_unit, _shard, { signal }: WorkOptions = {}) =>
      new Promise((_, reject) => {
        onWork();
        signal?.addEventListener('abort', () => reject(signal.reason));
      }),
  };
}

describe('the training side of a node', () => {
  it('frees what trains when it is told to stop, and makes another when it trains again', async () => {
    const { trainer, learners, works } = training();
    trainer.train(true);
    trainer.unit(UNIT);
    await works;
    trainer.train(false);
    await expect.poll(() => learners).toEqual([{ released: true }]);
    trainer.train(true);
    trainer.unit(UNIT);
    await expect.poll(() => learners).toEqual([{ released: true }, { released: false }]);
    await trainer.release();
    expect(learners[1]).toEqual({ released: true });
  });

  it('says whose texts it wants to learn from, and leaves where that changes', async () => {
    const { trainer, sent } = training();
    trainer.train(true);
    trainer.train(true, 'local');
    trainer.train('tiny', 'local');
    expect(sent).toEqual([
      ['train', {}],
      ['trainNoMore', {}],
      ['train', { mode: 'local' }],
      ['train', { campaign: 'tiny', mode: 'local' }],
    ]);
  });

  it('joins no group of local texts that nobody chose', async () => {
    const data: Campaign['data'] = { mode: 'local', groupSize: 3, threshold: 3, clip: 1 };
    const { trainer, sent, errors } = training(campaignOf({ data, minWorkers: 3 }));
    trainer.train(true);
    trainer.group({ ...UNIT, members: ['a', 'b', 'c'], threshold: 3 });
    await expect.poll(() => errors.map(({ code }) => code)).toEqual(['CAMPAIGN_MODE']);
    expect(sent).toEqual([['train', {}]]);
  });

  it('gives up, says why and tells the network where it cannot learn', async () => {
    const { trainer, sent, shown } = training(
      campaignOf({ data: { mode: 'local', groupSize: 3, threshold: 3, clip: 1 }, minWorkers: 3 }),
    );
    trainer.train(true);
    trainer.unit(UNIT);
    await expect.poll(() => shown.at(-1)).toMatchObject({ kind: 'off', error: { code: 'CAMPAIGN_INVALID' } });
    expect(sent.at(-1)).toEqual(['trainNoMore', {}]);
  });
});
