/** Answers that are computed together, by a real coordinator and real nodes. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Quant } from '../../shared/graph/types.ts';
import type { AiloNode } from '../../shared/node/types.ts';
import { GREEDY } from '../../shared/sampler/types.ts';
import { type Coordinator, startCoordinator } from '../coordinator/coordinator.ts';
import { createHeadlessNode } from './headless.ts';

const MODEL = 'stories260k';
const STAGES = 3;
const TOKENS = 40;
const modelDir = fileURLToPath(new URL(`../../../shared/models/${MODEL}`, import.meta.url));
const WAIT = { timeout: 60_000, interval: 20 };
const LONG = 'Lily had a red ball. She played with it in the park every day. '.repeat(6);
/** Of different lengths, one of them longer than a step. */
const PROMPTS = ['Once upon a time', 'Lily', LONG, 'The dog', 'Tom and Ben went', 'One day, a', 'Mom said', 'A big'];

describe.skipIf(!existsSync(modelDir)).each(['f32', 'int8'] as Quant[])('eight answers at once in %s', (quant) => {
  let folder: string;
  let coordinator: Coordinator;
  const nodes: AiloNode[] = [];
  const requesters: AiloNode[] = [];

  async function addNode(name: string): Promise<AiloNode> {
    const dataDir = join(folder, name);
    const log = pino({ level: 'silent' });
    const node = await createHeadlessNode({ url: coordinator.url, dataDir, budgetBytes: 2 ** 28, threads: 1, log });
    nodes.push(node);
    node.start();
    await vi.waitFor(() => expect(node.state.connection).toBe('connected'), WAIT);
    return node;
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ailo-batched-'));
    const models = [{ dir: modelDir, id: MODEL, stages: STAGES, quant }];
    const log = pino({ level: 'silent' });
    const dataDir = join(folder, 'coordinator');
    coordinator = await startCoordinator({ dataDir, host: '127.0.0.1', port: 0, models, log });
    for (let i = 0; i < STAGES; i++) (await addNode(`contributor-${i}`)).contribute(true);
    // Each may ask for four at once.
    for (let i = 0; i < 2; i++) requesters.push(await addNode(`requester-${i}`));
    await vi.waitFor(() => {
      for (const { state } of requesters) expect(state.models).toMatchObject([{ ready: STAGES }]);
    }, WAIT);
  }, 120_000);

  afterAll(async () => {
    await Promise.all(nodes.map((node) => node.stop()));
    await coordinator?.close();
    await rm(folder, { recursive: true, force: true });
  });

  async function ask(index: number): Promise<number[]> {
    const messages = [{ role: 'user' as const, content: PROMPTS[index]! }];
    const request = { model: MODEL, messages, maxNewTokens: TOKENS, sampling: GREEDY };
    const tokens: number[] = [];
    for await (const event of requesters[index % 2]!.chat(request))
      if (event.kind === 'token') tokens.push(event.token);
    return tokens;
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
