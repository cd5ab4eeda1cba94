/** The page's side of the training worker: a learner that computes elsewhere. */
import { AiloError } from '../../shared/errors/index.ts';
import type { Learner, WorkOptions } from '../../shared/train/campaign/worker.ts';
import type { Chunks } from '../../shared/train/codec/rechunk.ts';
import type { LearnerCalls, LearnerPageCalls, LearnerPlan, LearnerStart } from './learner-serve.ts';
import { connect, type Port } from './rpc.ts';

/** Where `bundleCompute` puts the worker, seen from the page. */
const WORKER_URL = 'training-worker.js';

/** Starts the worker, its engine and a learner for the campaign. Throws ENGINE_UNAVAILABLE, ENGINE_FAILED, STATE_NOT_STORED. */
export async function createWorkerLearner(plan: LearnerPlan): Promise<Learner> {
  const { engine } = plan;
  const worker = new Worker(WORKER_URL, { type: 'module', name: `ailo training ${engine}` });
  const { learner, fail } = learnerOverPort(worker, plan, () => worker.terminate());
  worker.addEventListener('error', (event) => {
    const reason = event.message || 'the training worker could not be started';
    fail(AiloError.of('ENGINE_UNAVAILABLE', { engine, reason }));
  });
  return learner;
}

/** A learner behind any port; `terminate` ends the other side. */
export function learnerOverPort(
  port: Port,
  plan: LearnerPlan,
  terminate: () => void,
): { learner: Promise<Learner>; fail(error: AiloError): void } {
  let onStep: WorkOptions['onStep'];
  let nextPart: () => Promise<Uint8Array | undefined> = async () => undefined;
  const { call, fail } = connect<LearnerCalls>(port, {
    async step(step) {
      onStep?.(step);
      return { value: undefined };
    },
    async part() {
      const part = (await nextPart())?.slice();
      return { value: part, ...(part && { transfer: [part.buffer] }) };
    },
  } satisfies LearnerPageCalls);

  function end() {
    fail(AiloError.of('CANCELLED', {}));
    terminate();
  }

  const learnerOf = ({ weightsBytes, weightsHash: first }: LearnerStart): Learner => {
    let weightsHash = first;
    return {
      campaign: plan.campaign,
      weightsBytes,
      get weightsHash() {
        return weightsHash;
      },
      async adopt(weights, hash) {
        const parts = iterate(weights);
        nextPart = async () => {
          const { done, value } = await parts.next();
          return done ? undefined : value;
        };
        try {
          await call('adopt', { hash });
        } finally {
          await parts.return?.();
        }
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
  return { learner: call('create', plan).then(learnerOf), fail };
}

function iterate<T>(chunks: Chunks<T>): AsyncIterator<T> | Iterator<T> {
  return Symbol.asyncIterator in chunks ? chunks[Symbol.asyncIterator]() : chunks[Symbol.iterator]();
}
