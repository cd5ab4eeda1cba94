/** Rooms with more nodes than the model has half-layers: MLPs and experts are spread over several, and one of them dies. */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { loadTextCodec } from '../../shared/model/text.ts';
import type { Sampling } from '../../shared/sampler/types.ts';
import { characterTokenizer } from '../../shared/train/characters.ts';
import { generateInProcess } from '../generate/in-process.ts';
import { folderSource } from '../model/folder-source.ts';
import { answer, createNetwork } from './testing.ts';

const PROMPT = 'in parts we stand';
const TOKENS = 24;
const SAMPLING: Sampling = { temperature: 1.5, topK: 0, topP: 1, repetitionPenalty: 1, seed: 5 };

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
    const network = await createNetwork({ dir, id: 'm', stages });
    undo.push(() => network.close());
    const requester = await network.addNode('requester');
    await network.addContributors(stages + 1);
    await network.ready(requester);

    const question = { model: 'm', prompt: PROMPT, maxNewTokens: TOKENS, sampling: SAMPLING };
    const expected = await aloneTokens(dir);
    expect(expected).toHaveLength(TOKENS);
    expect(await answer(requester, question)).toMatchObject({ ids: expected, pausesMs: [] });
    const disturbed = await answer(requester, question, (index, participants) => {
      if (index === 7) void network.nodes.get(participants[lost]!)!.stop();
    });
    expect(disturbed.ids).toEqual(expected);
    expect(disturbed.pausesMs).toHaveLength(1);
  }, 120_000);
});
