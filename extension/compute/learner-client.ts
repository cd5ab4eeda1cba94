/** The page's side of the training worker: a learner that computes elsewhere. */
import { AiloError } from '../../shared/errors/index.ts';
import type { Engine } from '../../shared/runtime/types.ts';
import type { Campaign } from '../../shared/train/campaign/campaign.ts';
import type { Learner, WorkOptions } from '../../shared/train/campaign/worker.ts';
import type { LearnerCalls, LearnerPageCalls } from './learner-serve.ts';
import { connect, type Port } from './rpc.ts';

/** Where `bundleCompute` puts the worker, seen from the page. */
const WORKER_URL = 'training-worker.js';

/** Starts the worker, its engine and a learner for the campaign. Throws ENGINE_UNAVAILABLE, ENGINE_FAILED. */
export async function createWorkerLearner(engine: Engine, campaign: Campaign): Promise<Learner> {
  const worker = new Worker(WORKER_URL, { type: 'module', name: `ailo training ${engine}` });
  const { learner, fail } = learnerOverPort(worker, engine, campaign, () => worker.terminate());
  worker.addEventListener('error', (event) => {
    const reason = event.message || 'the training worker could not be started';
    fail(AiloError.of('ENGINE_UNAVAILABLE', { engine, reason }));
  });
  return learner;
}

/** A learner behind any port; `terminate` ends the other side. */
export function learnerOverPort(
  port: Port,
  engine: Engine,
  campaign: Campaign,
  terminate: () => void,
): { learner: Promise<Learner>; fail(error: AiloError): void } {
  let onStep: WorkOptions['onStep'];
  const { call, fail } = connect<LearnerCalls>(port, {
    async step(step) {
      onStep?.(step);
      return { value: undefined };
    },
  } satisfies LearnerPageCalls);

  function end() {
    fail(AiloError.of('CANCELLED', {}));
    terminate();
  }

  const learnerOf = (weightsBytes: number): Learner => {
    let weightsHash: string | undefined;
    return {
      campaign,
      weightsBytes,
      get weightsHash() {
        return weightsHash;
      },
      async adopt(bytes, hash) {
        await call('adopt', { bytes, hash });
        weightsHash = hash;
      },
      async advance(delta, hash) {
        await call('advance', { delta, hash });
        weightsHash = hash;
      },
      async work(unit, shard, options = {}) {
        ({ onStep } = options);
        // A step that runs cannot be interrupted, but its thread can be ended.
        options.signal?.addEventListener('abort', end, { once: true });
        try {
          return await call('work', { unit, shard });
        } finally {
          options.signal?.removeEventListener('abort', end);
        }
      },
      settle: (counts) => call('settle', { counts }),
      release: async () => end(),
    };
  };
  return { learner: call('create', { engine, campaign }).then(({ weightsBytes }) => learnerOf(weightsBytes)), fail };
}
