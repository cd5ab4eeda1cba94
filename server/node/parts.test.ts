/** Rooms with more nodes than the model has half-layers: MLPs and experts are spread over several, and one of them dies. */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { loadTextCodec } from '../../shared/model/text.ts';
import type { AiloNode } from '../../shared/node/types.ts';
import type { Sampling } from '../../shared/sampler/types.ts';
import { characterTokenizer } from '../../shared/train/characters.ts';
import { startCoordinator } from '../coordinator/coordinator.ts';
import { generateInProcess } from '../generate/in-process.ts';
import { folderSource } from '../model/folder-source.ts';
import { createHeadlessNode } from './headless.ts';

const PROMPT = 'in parts we stand';
const TOKENS = 24;
const SAMPLING: Sampling = { temperature: 1.5, topK: 0, topP: 1, repetitionPenalty: 1, seed: 5 };
const WAIT = { timeout: 60_000, interval: 20 };

const undo: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (let next = undo.pop(); next; next = undo.pop()) await next();
});

/** A reference model with an alphabet, which never ends its answer by itself. */
async function modelOf(fixture: string, folder: string): Promise<string> {
  const dir = join(folder, fixture);
  await cp(fileURLToPath(new URL(`../../tests/fixtures/${fixture}`, import.meta.url)), dir, { recursive: true });
  const { json } = characterTokenizer('abcdefghijklmnopqrstuvwxyz ');
  await writeFile(join(dir, 'tokenizer.json'), JSON.stringify(json));
  const { eos_token_id: _, ...config } = JSON.parse(await readFile(join(dir, 'config.json'), 'utf8'));
  await writeFile(join(dir, 'config.json'), JSON.stringify(config));
  return dir;
}

async function aloneTokens(dir: string): Promise<number[]> {
  const tokens = (await loadTextCodec(folderSource(dir))).encodePrompt(PROMPT);
  const request = {
    tokens,
    maxNewTokens: TOKENS,
    stages: 1,
    engine: 'node',
    quant: 'f32',
    sampling: SAMPLING,
  } as const;
  const answer: number[] = [];
  const signal = new AbortController().signal;
  for await (const event of generateInProcess(dir, { ...request, withLogits: false }, signal)) {
    if (event.kind === 'token') answer.push(event.token);
  }
  return answer;
}

describe.each([
  // Embedding, two attentions, two MLPs of two halves, head.
  { fixture: 'qwen2-untied', stages: 8, lost: 2 },
  // Two mixtures, whose eight experts lie on four nodes: the second of them takes and gives partial sums.
  { fixture: 'mixtral', stages: 12, lost: 3 },
])('$fixture on $stages nodes', ({ fixture, stages, lost }) => {
  it('answers as one machine does, also when a node within an MLP is lost', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'ailo-parts-'));
    undo.push(() => rm(folder, { recursive: true, force: true }));
    const dir = await modelOf(fixture, folder);
    const log = pino({ level: 'silent' });
    const coordinator = await startCoordinator({
      dataDir: join(folder, 'coordinator'),
      host: '127.0.0.1',
      port: 0,
      models: [{ dir, id: 'm', stages }],
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
    for (let i = 0; i <= stages; i++) (await add(`node-${i}`)).contribute(true);
    await vi.waitFor(() => expect(requester.state.models).toMatchObject([{ ready: stages }]), WAIT);

    const ask = async (onToken: (index: number, participants: string[]) => void) => {
      const messages = [{ role: 'user' as const, content: PROMPT }];
      const [tokens, pausesMs]: [number[], number[]] = [[], []];
      let participants: string[] = [];
      for await (const event of requester.chat({ model: 'm', messages, maxNewTokens: TOKENS, sampling: SAMPLING })) {
        if (event.kind === 'accepted') ({ participants } = event);
        if (event.kind !== 'token') continue;
        tokens.push(event.token);
        if (event.pausedMs !== undefined) pausesMs.push(event.pausedMs);
        onToken(event.index, participants);
      }
      return { tokens, pausesMs };
    };
    const expected = await aloneTokens(dir);
    expect(expected).toHaveLength(TOKENS);
    expect(await ask(() => {})).toEqual({ tokens: expected, pausesMs: [] });
    const disturbed = await ask((index, participants) => {
      if (index === 7) void nodes.get(participants[lost]!)!.stop();
    });
    expect(disturbed.tokens).toEqual(expected);
    expect(disturbed.pausesMs).toHaveLength(1);
  }, 120_000);
});
