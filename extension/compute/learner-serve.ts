/** The training worker's side: a learner whose methods are called over a port. */
import { AiloError } from '../../shared/errors/index.ts';
import type { TensorEngine } from '../../shared/runtime/tensor-engine.ts';
import type { Engine } from '../../shared/runtime/types.ts';
import type { Campaign } from '../../shared/train/campaign/campaign.ts';
import { CampaignWorker, type Learner, type LocalStep, type WorkUnit } from '../../shared/train/campaign/worker.ts';
import { connect, type Handlers, type Port, type Reply } from './rpc.ts';

export interface LearnerCalls extends Handlers {
  create(options: { engine: Engine; campaign: Campaign }): Promise<Reply<{ weightsBytes: number }>>;
  adopt(weights: { bytes: Uint8Array; hash: string }): Promise<Reply<void>>;
  advance(round: { delta: Uint8Array; hash: string }): Promise<Reply<void>>;
  work(work: { unit: WorkUnit; shard: Int32Array }): Promise<Reply<Uint8Array>>;
  settle(result: { counts: boolean }): Promise<Reply<void>>;
}

export interface LearnerPageCalls extends Handlers {
  step(step: LocalStep): Promise<Reply<void>>;
}

/** Serves one learner, over the engine that `createEngine` makes. */
export function serveLearner(port: Port, createEngine: (engine: Engine) => Promise<TensorEngine>): void {
  let learner: Learner | undefined;
  const nothing = { value: undefined };
  const created = (): Learner => {
    if (!learner) throw AiloError.of('ENGINE_UNAVAILABLE', { engine: 'training worker', reason: 'it was not opened' });
    return learner;
  };

  const page = connect<LearnerPageCalls>(port, {
    async create({ engine, campaign }) {
      learner = await CampaignWorker.create(await createEngine(engine), campaign);
      return { value: { weightsBytes: learner.weightsBytes } };
    },
    async adopt({ bytes, hash }) {
      await created().adopt(bytes, hash);
      return nothing;
    },
    async advance({ delta, hash }) {
      await created().advance(delta, hash);
      return nothing;
    },
    async work({ unit, shard }) {
      const onStep = (step: LocalStep) => void page.call('step', step);
      const update = await created().work(unit, shard, { onStep });
      return { value: update, transfer: [update.buffer] };
    },
    async settle({ counts }) {
      await created().settle(counts);
      return nothing;
    },
  } satisfies LearnerCalls);
}
