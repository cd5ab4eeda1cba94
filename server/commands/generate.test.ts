import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { AiloError } from '../../shared/errors/index.ts';
import { runCommand } from '../cli.ts';
import { generate } from './generate.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const fixture = join(root, 'tests/fixtures/qwen2-untied');
const stories = fileURLToPath(new URL('../../../shared/models/stories260k/', import.meta.url));

interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

/** The real command in a process of its own. */
function ailo(...args: string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(process.execPath, [join(root, 'server/ailo.mjs'), 'generate', ...args], (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
}

/** Runs the command in this process for the error that it must throw. */
async function refused(...args: string[]): Promise<AiloError> {
  const run = runCommand({ name: 'generate', summary: '', command: generate }, args, new AbortController().signal);
  return run.then(
    () => Promise.reject(new Error('it was not refused')),
    (error) => error,
  );
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ailo-test-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe.skipIf(!existsSync(stories))('on stories260k (skipped where ../shared/models is missing)', () => {
  test('four stages give the reference text, and the logits go to a file', async () => {
    const logits = join(folder, 'logits.f32');
    const model = ['--model', stories, '--prompt', '', '--max-new-tokens', '200', '--greedy', '--stages', '4'];
    const { code, stdout, stderr } = await ailo(...model, '--logits', logits, '--json');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const result = JSON.parse(stdout);
    expect(Object.keys(result)).toEqual(['tokens', 'text', 'stages', 'engine', 'prefillMs', 'decodeTokensPerSecond']);
    expect(result.text).toBe(await readFile(join(stories, 'expected-greedy-200.txt'), 'utf8'));
    expect(result).toMatchObject({ stages: 4, engine: 'node' });
    expect((await readFile(logits)).length).toBe(result.tokens.length * 512 * 4);
  });

  test('without --json the text streams to stdout, and a seed repeats it', async () => {
    const model = ['--model', stories, '--prompt', 'Once upon', '--max-new-tokens', '20', '--temperature', '1'];
    const [first, again, other] = await Promise.all([
      ailo(...model, '--seed', '7'),
      ailo(...model, '--seed', '7'),
      ailo(...model, '--seed', '8'),
    ]);
    expect(first.stdout.length).toBeGreaterThan(10);
    expect(again.stdout).toBe(first.stdout);
    expect(other.stdout).not.toBe(first.stdout);
  });
});

describe('bad input', () => {
  const model = ['--model', fixture, '--tokens', '1,2,3'];
  test.each<[string, string[], RegExp]>([
    ['no model', [], /--model is required/],
    ['a folder that is none', ['--model', '/nowhere', '--tokens', '1'], /no file “config.json”/],
    ['a model without tokenizer and a text', ['--model', fixture, '--prompt', 'hi'], /no file “tokenizer.json”/],
    ['a token beyond the vocabulary', ['--model', fixture, '--tokens', '1,64'], /ids from 0 to 63/],
    ['tokens that are no numbers', ['--model', fixture, '--tokens', '1,x'], /ids from 0 to 63/],
    ['a prompt that fills the context', ['--model', fixture, '--tokens', Array(64).fill(1).join()], /64 tokens/],
    ['both kinds of prompt', [...model, '--prompt', 'hi'], /exclude each other/],
    ['a prompt and a question', ['--model', 'ailo-guide', '--prompt', 'a', '--chat', 'b'], /exclude each other/],
    ['more stages than units', [...model, '--stages', '9'], /8 units has no 9 parts/],
    ['no stages', [...model, '--stages', '0'], /--stages must be/],
    ['an unknown engine', [...model, '--engine', 'abacus'], /--engine must be one of/],
    ['an unknown quantisation', [...model, '--quant', 'int2'], /--quant must be one of/],
    ['a top-p of nothing', [...model, '--temperature', '1', '--top-p', '0'], /top-p/],
    ['two ways of choosing', [...model, '--greedy', '--temperature', '1'], /exclude each other/],
    ['a logits file in no folder', [...model, '--logits', '/nowhere/logits'], /--logits/],
    ['an option that does not exist', [...model, '--fast'], /--fast/],
  ])('%s is refused with one sentence', async (_, args, sentence) => {
    const { name, message } = await refused(...args);
    expect(name).toBe('AiloError');
    expect(message).toMatch(sentence);
    expect(message).not.toContain('\n');
  });

  test('goes to stderr with a failing exit code, and nothing to stdout', async () => {
    const { code, stdout, stderr } = await ailo(...model, '--stages', '9', '--json');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^ailo: .*8 units has no 9 parts\.\n$/);
  });

  test.each<[string, (dir: string) => Promise<void>, RegExp]>([
    ['an unknown family', (dir) => writeFile(join(dir, 'config.json'), '{"model_type":"rnn"}'), /family “rnn”/],
    [
      'weights of another shape',
      async (dir) => {
        const config = JSON.parse(await readFile(join(dir, 'config.json'), 'utf8'));
        await writeFile(join(dir, 'config.json'), JSON.stringify({ ...config, intermediate_size: 47 }));
      },
      /tensor “.*” cannot be used: its shape/,
    ],
    [
      'a layer that is missing',
      async (dir) => {
        const config = JSON.parse(await readFile(join(dir, 'config.json'), 'utf8'));
        await writeFile(join(dir, 'config.json'), JSON.stringify({ ...config, num_hidden_layers: 3 }));
      },
      /no tensor “model\.layers\.2/,
    ],
    [
      'a truncated file',
      async (dir) => {
        const file = join(dir, 'model.safetensors');
        await writeFile(file, (await readFile(file)).subarray(0, 90_000));
      },
      /safetensors/,
    ],
  ])('a model with %s', async (name, spoil, sentence) => {
    const dir = join(folder, name.replaceAll(' ', '-'));
    await cp(fixture, dir, { recursive: true });
    await spoil(dir);
    const { name: kind, message } = await refused('--model', dir, '--tokens', '1');
    expect(kind).toBe('AiloError');
    expect(message).toMatch(sentence);
  });
});
