import { describe, expect, it } from 'vitest';
import { AiloError } from '../errors/index.ts';
import { memoryChunkStore } from '../model/verified.ts';
import type { FromCoordinator, FromNode } from '../protocol/messages.ts';
import type { Runtime } from '../runtime/types.ts';
import { encodeFrame } from '../tensor/frame.ts';
import { createContributor } from './contributor.ts';
import type { LoadStage, ReadyStage } from './stage.ts';
import { sumAnswer, sumStage } from './testing.ts';
import type { Activity } from './types.ts';

const address = `alc1${'q'.repeat(58)}`;
const other = `alc1${'p'.repeat(58)}`;
const another = `alc1${'z'.repeat(58)}`;
const id = (n: number) => n.toString(16).padStart(32, '0');
const assignment = (n: number, changes: Partial<FromCoordinator['assign']> = {}): FromCoordinator['assign'] => ({
  assignment: id(n),
  model: 'sums',
  manifestHash: '0'.repeat(64),
  start: 0,
  end: 4,
  stage: 0,
  stages: 1,
  quant: 'f32',
  contextLength: 100,
  maxSequences: 2,
  ...changes,
});
const jobOpen = (job: number, of = 1, promptTokens = 1): FromCoordinator['jobOpen'] => ({
  job: id(job),
  assignment: id(of),
  next: address,
  epoch: 0,
  has: promptTokens,
  promptTokens: promptTokens,
  wire: 'f32',
  sample: {
    sampling: { temperature: 0, topK: 0, topP: 1, repetitionPenalty: 1, seed: 0 },
    maxNewTokens: 4,
    prompt: [],
    answered: [],
  },
});
const prompt = (job: number, ids: number[]) => ({
  job: id(job),
  data: encodeFrame({
    job: id(job),
    sequence: 0,
    position: 0,
    sampleAfter: true,
    kind: 'tokens',
    ids: Int32Array.from(ids),
  }),
});
const settle = () => new Promise((resolve) => setTimeout(resolve, 5));

function setUp() {
  const sent: { type: keyof FromNode; body: unknown }[] = [];
  const activities: Activity[] = [];
  const errors: string[] = [];
  const log: string[] = [];
  const engines: ReturnType<typeof sumStage>[] = [];
  const host = {
    open: true,
    timers: [] as { run: () => void; delayMs: number }[],
    createRuntime: async (): Promise<Runtime> => {
      log.push('runtime');
      return {
        engine: 'node',
        budgetBytes: 1000,
        load: () => Promise.reject(new Error('the test loads otherwise')),
        measure: async () => ({ matmulGflops: 12 }),
        close: async () => void log.push('close'),
      };
    },
    loadStage: (async (body, _runtime, { onProgress }) => {
      log.push(`load ${body.start}-${body.end}`);
      onProgress(50, 100);
      const engine = sumStage('tokens', 'logits');
      engines.push(engine);
      const { stage, shape } = engine;
      const release = async () => {
        log.push(`release ${body.start}-${body.end}`);
        await stage.release();
      };
      return { stage: { ...stage, release }, shape, eosTokens: [], memoryBytes: 77 } satisfies ReadyStage;
    }) as LoadStage,
  };
  const contributor = createContributor({
    address,
    createRuntime: () => host.createRuntime(),
    chunks: memoryChunkStore(),
    loadStage: (...args) => host.loadStage(...args),
    isOpen: () => host.open,
    send: (type, body) => sent.push({ type, body }),
    now: () => 0,
    schedule: (run, delayMs) => {
      host.timers.push({ run, delayMs });
      return () => {};
    },
    log: { debug() {}, info() {}, warn() {} },
    onChange: (_, activity) => activities.push(activity),
    onError: (error) => errors.push(error.code),
  });
  const types = () => sent.map(({ type }) => type);
  const ready = async () => {
    contributor.contribute(true);
    await settle();
    contributor.assign(assignment(1));
    await settle();
  };
  return { contributor, sent, types, activities, errors, log, engines, host, ready };
}

describe('contributor', () => {
  it('measures, offers, loads what it is assigned and says so', async () => {
    const { contributor, sent, activities, ready } = setUp();
    await ready();
    expect(sent).toEqual([
      { type: 'offer', body: { engine: 'node', budgetBytes: 1000, matmulGflops: 12 } },
      { type: 'stageReady', body: { assignment: id(1), loadMs: 0, memoryBytes: 77 } },
    ]);
    expect(activities.map(({ kind }) => kind)).toEqual(['measuring', 'waiting', 'loading', 'loading', 'ready']);
    expect(activities[3]).toMatchObject({ loadedBytes: 50, totalBytes: 100 });
    await contributor.release();
  });

  it('offers its whole budget for what kernels of its own compute', async () => {
    const { contributor, sent, host } = setUp();
    const { createRuntime } = host;
    host.createRuntime = async () => ({ ...(await createRuntime()), engine: 'wasm', hasKernels: true });
    contributor.contribute(true);
    await settle();
    expect(sent[0]!.body).toMatchObject({ engine: 'wasm', budgetBytes: 444, kernelBudgetBytes: 1000 });
    await contributor.release();
  });

  it('answers jobs, counts them and shows what it is at', async () => {
    const { contributor, sent, activities, ready } = setUp();
    await ready();
    contributor.jobOpen(jobOpen(1));
    contributor.jobOpen(jobOpen(2, 1, 2));
    contributor.frame(prompt(1, [3]));
    contributor.frame(prompt(2, [5, 6]));
    await settle();
    const tokens = (job: number) =>
      sent.flatMap(({ type, body }) => {
        const token = body as FromNode['token'];
        return type === 'token' && token.job === id(job) ? [token.token] : [];
      });
    expect(tokens(1)).toEqual(sumAnswer([3], 4));
    expect(tokens(2)).toEqual(sumAnswer([5, 6], 4));
    expect(activities.at(-1)).toMatchObject({ kind: 'working', jobs: 2, steps: 8 });
    contributor.jobClose({ job: id(1), reason: 'done' });
    contributor.jobClose({ job: id(2), reason: 'cancelled' });
    expect(activities.at(-1)).toMatchObject({ kind: 'ready', jobsDone: 1 });
  });

  it('sends again what a job sent when its successor was replaced', async () => {
    const { contributor, sent, ready } = setUp();
    await ready();
    contributor.jobOpen({ ...jobOpen(1), next: other });
    contributor.frame(prompt(1, [3]));
    await settle();
    sent.length = 0;
    contributor.jobNext({ job: id(1), next: another, epoch: 1, has: 1 });
    contributor.jobNext({ job: id(9), next: another, epoch: 1, has: 1 });
    contributor.more({ job: id(1) });
    expect(sent).toMatchObject([{ type: 'frame', body: { job: id(1), to: another, epoch: 1 } }]);
  });

  it('refuses more jobs than it has caches for, and jobs of a stage it does not hold', async () => {
    const { contributor, sent, engines, ready } = setUp();
    await ready();
    for (const job of [1, 2, 3]) contributor.jobOpen(jobOpen(job));
    contributor.jobOpen(jobOpen(4, 9));
    expect(sent.slice(2)).toMatchObject([
      { type: 'jobFailed', body: { job: id(3), error: { code: 'ROOM_BUSY' } } },
      { type: 'jobFailed', body: { job: id(4), error: { code: 'STAGE_RELEASED' } } },
    ]);
    // A closed job makes room, and its cache is free before the next one begins.
    contributor.frame(prompt(1, [1]));
    await settle();
    contributor.jobClose({ job: id(1), reason: 'done' });
    contributor.jobOpen(jobOpen(5));
    contributor.frame(prompt(5, [1]));
    await settle();
    expect(engines[0]!.log.indexOf('drop')).toBe(engines[0]!.log.lastIndexOf('0+1') - 1);
  });

  it('finishes what runs before it gives its stage back', async () => {
    const { contributor, types, activities, log, ready } = setUp();
    await ready();
    contributor.jobOpen(jobOpen(1));
    contributor.contribute(false);
    contributor.frame(prompt(1, [3]));
    await settle();
    expect(types().slice(2)).toEqual(['withdraw', 'token', 'token', 'token', 'token']);
    expect(log).toEqual(['runtime', 'load 0-4']);
    contributor.jobClose({ job: id(1), reason: 'done' });
    contributor.unassign({ assignment: id(1) });
    await settle();
    expect(log).toEqual(['runtime', 'load 0-4', 'release 0-4', 'close']);
    expect(activities.at(-1)).toEqual({ kind: 'off' });
  });

  it('can be switched off and on while it still gives back, and offers anew', async () => {
    const { contributor, types, activities, ready } = setUp();
    await ready();
    contributor.contribute(false);
    contributor.contribute(true);
    await settle();
    contributor.unassign({ assignment: id(1) });
    contributor.assign(assignment(2));
    await settle();
    expect(types()).toEqual(['offer', 'stageReady', 'withdraw', 'offer', 'stageReady']);
    expect(activities.at(-1)).toMatchObject({ kind: 'ready' });
  });

  it('says why a stage could not be loaded, and waits for another', async () => {
    const { contributor, sent, activities, errors, host } = setUp();
    host.loadStage = () => Promise.reject(AiloError.of('CHUNK_HASH_MISMATCH', { path: 'x', chunk: 1 }));
    contributor.contribute(true);
    await settle();
    contributor.assign(assignment(1));
    await settle();
    expect(sent.at(-1)).toMatchObject({
      type: 'stageFailed',
      body: { assignment: id(1), error: { code: 'CHUNK_HASH_MISMATCH' } },
    });
    expect(errors).toEqual(['CHUNK_HASH_MISMATCH']);
    expect(activities.at(-1)).toEqual({ kind: 'waiting' });
  });

  it('gives up loading when the stage is taken back, and loads the next one after that', async () => {
    const { contributor, types, host, log } = setUp();
    const load = host.loadStage;
    host.loadStage = (body, runtime, options) =>
      body.assignment === id(1)
        ? new Promise((_, reject) => {
            options.signal.addEventListener('abort', () => reject(AiloError.of('CANCELLED', {})));
          })
        : load(body, runtime, options);
    contributor.contribute(true);
    await settle();
    contributor.assign(assignment(1));
    await settle();
    contributor.unassign({ assignment: id(1) });
    contributor.assign(assignment(2, { start: 4, end: 6 }));
    await settle();
    expect(types()).toEqual(['offer', 'stageReady']);
    expect(log).toEqual(['runtime', 'load 4-6']);
  });

  it('never holds two stages', async () => {
    const { contributor, log, ready } = setUp();
    await ready();
    contributor.unassign({ assignment: id(1) });
    contributor.assign(assignment(2, { end: 8 }));
    await settle();
    expect(log).toEqual(['runtime', 'load 0-4', 'release 0-4', 'load 0-8']);
  });

  it('keeps its stage over a lost session and takes it up again without loading', async () => {
    const { contributor, types, log, engines, ready } = setUp();
    await ready();
    contributor.jobOpen(jobOpen(1));
    contributor.frame(prompt(1, [3]));
    await settle();
    contributor.onLost();
    await settle();
    expect(engines[0]!.caches.size).toBe(0);
    contributor.onOpen();
    await settle();
    contributor.assign(assignment(2));
    await settle();
    expect(types().filter((type) => type !== 'token')).toEqual(['offer', 'stageReady', 'offer', 'stageReady']);
    expect(log).toEqual(['runtime', 'load 0-4']);
    contributor.onLost();
    contributor.onOpen();
    contributor.assign(assignment(3, { end: 8 }));
    await settle();
    expect(log).toEqual(['runtime', 'load 0-4', 'release 0-4', 'load 0-8']);
  });

  it('frees everything when the session is lost while switched off', async () => {
    const { contributor, log, ready } = setUp();
    await ready();
    contributor.contribute(false);
    contributor.onLost();
    await settle();
    expect(log).toEqual(['runtime', 'load 0-4', 'release 0-4', 'close']);
  });

  it('is switched off, with the reason, where no engine runs', async () => {
    const { contributor, activities, errors, types, host } = setUp();
    host.createRuntime = () =>
      Promise.reject(AiloError.of('ENGINE_UNAVAILABLE', { engine: 'webgpu', reason: 'there is no GPU' }));
    contributor.contribute(true);
    await settle();
    expect(errors).toEqual(['ENGINE_UNAVAILABLE']);
    expect(activities.at(-1)).toEqual({ kind: 'off' });
    expect(types()).toEqual([]);
  });

  it('offers again later when it offered too often', async () => {
    const { contributor, types, host } = setUp();
    contributor.contribute(true);
    await settle();
    contributor.offerRefused(AiloError.of('STAGE_TOO_LARGE', { neededBytes: 2, budgetBytes: 1 }).toWire());
    expect(host.timers).toEqual([]);
    contributor.offerRefused(AiloError.of('RATE_LIMITED', { retryAfterMs: 900 }).toWire());
    host.timers[0]!.run();
    await settle();
    expect(types()).toEqual(['offer', 'offer']);
  });

  it('waits for a session before it offers, and ignores what crossed its withdrawal', async () => {
    const { contributor, types, host, log } = setUp();
    host.open = false;
    contributor.contribute(true);
    await settle();
    expect(types()).toEqual([]);
    host.open = true;
    contributor.onOpen();
    await settle();
    contributor.contribute(false);
    contributor.assign(assignment(1));
    await settle();
    expect(types()).toEqual(['offer', 'withdraw']);
    expect(log).toEqual(['runtime', 'close']);
  });
});
