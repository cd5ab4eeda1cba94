/** The training worker's side: a learner whose methods are called over a port. */
import { AiloError } from '../../shared/errors/index.ts';
import type { TensorEngine } from '../../shared/runtime/tensor-engine.ts';
import type { Engine } from '../../shared/runtime/types.ts';
import type { Campaign } from '../../shared/train/campaign/campaign.ts';
import { DiskLearner } from '../../shared/train/campaign/disk-learner.ts';
import { CampaignWorker, type Learner, type LocalStep, type WorkUnit } from '../../shared/train/campaign/worker.ts';
import type { Files } from '../../shared/train/virtual/files.ts';
import { connect, type Handlers, type Port, type Reply } from './rpc.ts';

export interface LearnerPlan {
  engine: Engine;
  campaign: Campaign;
  /** Of everything that is as large as the model. */
  place: 'memory' | 'disk';
}

export interface LearnerStart {
  weightsBytes: number;
  /** Of weights that are there already. */
  weightsHash?: string;
}

export interface LearnerCalls extends Handlers {
  create(plan: LearnerPlan): Promise<Reply<LearnerStart>>;
  /** Asks the page for the weights, part by part. */
  adopt(weights: { hash: string }): Promise<Reply<void>>;
  advance(round: { delta: Uint8Array; hash: string }): Promise<Reply<void>>;
  work(work: { unit: WorkUnit; shard: Int32Array }): Promise<Reply<Uint8Array>>;
  settle(result: { counts: boolean }): Promise<Reply<void>>;
}

export interface LearnerPageCalls extends Handlers {
  step(step: LocalStep): Promise<Reply<void>>;
  /** The next part of the weights that are adopted; undefined after the last. */
  part(argument: undefined): Promise<Reply<Uint8Array | undefined>>;
}

export interface LearnerHost {
  createEngine(engine: Engine): Promise<TensorEngine>;
  /** The files of a training, in a folder of its own. */
  createFiles(folder: string): Promise<Files>;
}

/** Serves one learner. */
export function serveLearner(port: Port, { createEngine, createFiles }: LearnerHost): void {
  let learner: Learner | undefined;
  const nothing = { value: undefined };
  const created = (): Learner => {
    if (!learner) throw AiloError.of('ENGINE_UNAVAILABLE', { engine: 'training worker', reason: 'it was not opened' });
    return learner;
  };

  async function* parts(): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      const part = await page.call('part', undefined);
      if (!part) return;
      yield part;
    }
  }

  const page = connect<LearnerPageCalls>(port, {
    async create({ engine, campaign, place }) {
      const tensors = await createEngine(engine);
      learner =
        place === 'memory'
          ? await CampaignWorker.create(tensors, campaign)
          : await DiskLearner.create(tensors, await createFiles(`campaign-${campaign.id}`), campaign);
      const { weightsBytes, weightsHash } = learner;
      return { value: { weightsBytes, ...(weightsHash && { weightsHash }) } };
    },
    async adopt({ hash }) {
      await created().adopt(parts(), hash);
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
