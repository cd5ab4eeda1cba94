/** Real engines: in an int8 room the scales of a step depend on all its rows, so that only the same steps give the same. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { AiloNode } from '../../shared/node/types.ts';
import type { Sampling } from '../../shared/sampler/types.ts';
import { startCoordinator } from '../coordinator/coordinator.ts';
import { createHeadlessNode } from './headless.ts';

const MODEL = 'stories260k';
const modelDir = fileURLToPath(new URL(`../../../shared/models/${MODEL}`, import.meta.url));
const STAGES = 2;
const TOKENS = 80;
const SAMPLING: Sampling = { temperature: 1, topK: 0, topP: 0.95, repetitionPenalty: 1.2, seed: 11 };
const WAIT = { timeout: 60_000, interval: 20 };

const undo: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (let next = undo.pop(); next; next = undo.pop()) await next();
});

async function answer(requester: AiloNode, onToken: (index: number, participants: string[]) => void = () => {}) {
  const messages = [{ role: 'user' as const, content: 'Lily and Tom' }];
  const [tokens, pausesMs]: [number[], number[]] = [[], []];
  let participants: string[] = [];
  for await (const event of requester.chat({ model: MODEL, messages, maxNewTokens: TOKENS, sampling: SAMPLING })) {
    if (event.kind === 'accepted') ({ participants } = event);
    if (event.kind !== 'token') continue;
    tokens.push(event.token);
    if (event.pausedMs !== undefined) pausesMs.push(event.pausedMs);
    onToken(event.index, participants);
  }
  return { tokens, pausesMs };
}

describe.skipIf(!existsSync(modelDir))('an int8 room that loses one stage after the other', () => {
  it('draws the same tokens', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ailo-takeover-'));
    undo.push(() => rm(folder, { recursive: true, force: true }));
    const log = pino({ level: 'silent' });
    const coordinator = await startCoordinator({
      dataDir: join(folder, 'coordinator'),
      host: '127.0.0.1',
      port: 0,
      models: [{ dir: modelDir, id: MODEL, stages: STAGES, quant: 'int8' }],
      log,
    });
    undo.push(() => coordinator.close());
    const nodes = new Map<string, AiloNode>();
    const add = async (name: string) => {
      const dataDir = join(folder, name);
      const node = await createHeadlessNode({ url: coordinator.url, dataDir, budgetBytes: 2 ** 26, threads: 1, log });
      undo.push(() => node.stop());
      nodes.set(node.state.address, node);
      node.start();
      return node;
    };
    const requester = await add('requester');
    for (let i = 0; i < 2 * STAGES; i++) (await add(`node-${i}`)).contribute(true);
    const contributing = [...nodes.values()].slice(1);
    await vi.waitFor(() => {
      for (const { state } of contributing) expect(state.activity.kind).toBe('ready');
      expect(requester.state.models).toMatchObject([{ ready: STAGES }]);
    }, WAIT);

    const expected = await answer(requester);
    const disturbed = await answer(requester, (index, participants) => {
      if (index === 20) void nodes.get(participants[0]!)!.stop();
      if (index === 50) void nodes.get(participants[1]!)!.stop();
    });
    expect(disturbed.tokens).toEqual(expected.tokens);
    expect(expected.pausesMs).toEqual([]);
    expect(disturbed.pausesMs).toHaveLength(2);
  });
});
