import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { AiloError } from '../../shared/errors/index.ts';
import { type Command, runCommand } from '../cli.ts';
import { evaluate } from './eval.ts';
import { generate } from './generate.ts';
import { train } from './train.ts';

const shakespeare = fileURLToPath(new URL('../../../shared/corpora/tinyshakespeare/input.txt', import.meta.url));
const stories = fileURLToPath(new URL('../../../shared/models/stories260k/', import.meta.url));

let folder: string;
let text: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ailo-test-'));
  text = join(folder, 'text.txt');
  await writeFile(text, 'The quick brown fox jumps over the lazy dog.\n'.repeat(60));
});
afterAll(() => rm(folder, { recursive: true }));

/** Runs a command in this process; returns the object that `--json` prints. */
async function ailo(command: Command, ...args: string[]) {
  const stdout = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  try {
    await runCommand({ name: '', summary: '', command }, [...args, '--json'], new AbortController().signal);
    return JSON.parse(stdout.mock.calls.map(([line]) => line).join(''));
  } finally {
    stdout.mockRestore();
  }
}

async function refused(command: Command, ...args: string[]): Promise<AiloError> {
  return ailo(command, ...args).then(
    () => Promise.reject(new Error('it was not refused')),
    (error) => error,
  );
}

/** Enough for a machine that has much else to do. */
const TIMEOUT_MS = 180_000;
const GUIDE = ['--model', 'ailo-guide', '--adapter', '/nowhere'];
const SHORT = ['--batch', '4', '--seq', '16', '--eval-batches', '4', '--threads', '1'];

test.skipIf(!existsSync(shakespeare))(
  'nano-char begins to learn Shakespeare in 60 steps (skipped where ../shared/corpora is missing)',
  async () => {
    const steps = ['--rounds', '2', '--local-steps', '30', '--eval-every', '1', '--eval-batches', '5'];
    const result = await ailo(train, '--model', 'nano-char', '--data', shakespeare, ...steps, '--threads', '1');
    expect(result).toMatchObject({ parameters: 809_856, workers: 1, tokens: 60 * 12 * 64, out: null });
    const [first, last] = result.evaluations;
    expect([first.step, last.step]).toEqual([30, 60]);
    expect(last.loss).toBeLessThan(first.loss);
    // Characters by their frequency alone give 3.3, none at all 4.2.
    expect(result.validationLoss).toBeLessThan(2.75);
  },
  TIMEOUT_MS,
);

describe('a federation of four', () => {
  const plan = ['--workers', '4', '--rounds', '6', '--local-steps', '10', '--lr', '3e-3', ...SHORT];
  const federated = (...more: string[]) => ailo(train, '--model', 'nano-char', '--data', text, ...plan, ...more);

  test(
    'learns from updates that take a hundredth of the bytes, and with a liar among them',
    async () => {
      const [compressed, attacked] = [
        await federated('--codec', 'sparseloco', '--eval-every', '1'),
        await federated('--codec', 'sparseloco', '--byzantine', '0.25:flip'),
      ];
      expect(compressed.uplinkSaving).toBeGreaterThan(150);
      const losses = compressed.evaluations.map(({ loss }: { loss: number }) => loss);
      expect(losses).toHaveLength(6);
      expect(losses.at(-1)).toBeLessThan(losses[0] - 0.5);
      expect(attacked.validationLoss).toBeLessThan(losses[0] - 0.3);
      expect(attacked.validationLoss).not.toBe(losses.at(-1));
    },
    TIMEOUT_MS,
  );
});

describe('a model that was trained', () => {
  test(
    'by several workers is saved, measured, run, and trained on',
    async () => {
      const out = join(folder, 'fox');
      const plan = ['--workers', '3', '--rounds', '4', '--local-steps', '10', '--lr', '3e-3', ...SHORT];
      const trained = await ailo(train, '--model', 'nano-char', '--data', text, ...plan, '--out', out);
      expect(trained).toMatchObject({ workers: 3, rounds: 4, localSteps: 10, tokens: 3 * 40 * 64, out });
      const measured = await ailo(evaluate, '--model', out, '--data', text);
      expect(measured).toEqual({ loss: expect.any(Number), perplexity: Math.exp(measured.loss), tokens: 2699 });
      expect(measured.loss).toBeLessThan(2.6);
      const { text: answer } = await ailo(generate, '--model', out, '--prompt', 'The ', '--max-new-tokens', '8');
      expect(answer).toHaveLength(8);
      const again = await ailo(train, '--model', out, '--data', text, '--rounds', '1', '--local-steps', '20', ...SHORT);
      expect(again.validationLoss).toBeLessThan(trained.validationLoss);
    },
    TIMEOUT_MS,
  );

  test(
    'is measured the same through the graphs that answer, and nearly so where they are quantised',
    async () => {
      const [out, short] = [join(folder, 'measured'), join(folder, 'short.txt')];
      await writeFile(short, (await readFile(text, 'utf8')).slice(0, 300));
      const plan = ['--rounds', '1', '--local-steps', '20', '--lr', '3e-3', ...SHORT];
      await ailo(train, '--model', 'nano-char', '--data', text, ...plan, '--out', out);
      const whole = await ailo(evaluate, '--model', out, '--data', short);
      for (const [quant, digits] of [
        ['f32', 4],
        ['int8', 1],
        ['int4', 2],
      ] as const) {
        const answering = await ailo(evaluate, '--model', out, '--data', short, '--quant', quant, '--stages', '2');
        expect(answering.tokens).toBe(whole.tokens);
        expect(answering.loss, quant).toBeCloseTo(whole.loss, digits);
      }
    },
    TIMEOUT_MS,
  );

  test(
    'twice with one seed is the same, and with another seed another',
    async () => {
      const weights: Buffer[] = [];
      for (const seed of ['1', '1', '2']) {
        const out = join(folder, `seed-${weights.length}`);
        const plan = ['--rounds', '1', '--local-steps', '2', '--seed', seed, ...SHORT];
        await ailo(train, '--model', 'nano-char', '--data', text, ...plan, '--out', out);
        weights.push(await readFile(join(out, 'model.safetensors')));
      }
      expect(weights[1]!.equals(weights[0]!)).toBe(true);
      expect(weights[2]!.equals(weights[0]!)).toBe(false);
    },
    TIMEOUT_MS,
  );
});

test(
  'a finetuned model is its adapters beside the base, or the same merged into it',
  async () => {
    const [base, adapter, merged] = ['base', 'adapter', 'merged'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    const plan = ['--rounds', '2', '--local-steps', '10', '--lr', '3e-3', ...SHORT];
    await ailo(train, '--model', 'nano-char', '--data', text, ...plan, '--out', base);
    const before = await readFile(join(base, 'model.safetensors'));
    const lora = ['--lora-rank', '4', '--workers', '2', '--codec', 'sparseloco', ...plan];
    const beside = await ailo(train, '--model', base, '--data', text, ...lora, '--out', adapter);
    expect(beside.trainedParameters).toBe(4 * 4 * (512 + 256 + 640 + 640));
    expect((await readdir(adapter)).sort()).toEqual(['adapter_config.json', 'adapter_model.safetensors']);
    await ailo(train, '--model', base, '--data', text, ...lora, '--merge', '--out', merged);
    expect((await readFile(join(base, 'model.safetensors'))).equals(before)).toBe(true);

    const measure = (...args: string[]) => ailo(evaluate, '--data', text, '--threads', '1', ...args);
    const [plain, adapted, whole] = [
      await measure('--model', base),
      await measure('--model', base, '--adapter', adapter),
      await measure('--model', merged),
    ];
    expect(adapted.loss).toBeLessThan(plain.loss);
    expect(adapted.loss).toBe(whole.loss);
    const answer = (...args: string[]) => ailo(generate, '--prompt', 'The ', '--max-new-tokens', '8', ...args);
    expect((await answer('--model', base, '--adapter', adapter)).tokens).toEqual(
      (await answer('--model', merged)).tokens,
    );
  },
  TIMEOUT_MS,
);

test(
  'a Llama with rotary positions learns, too',
  async () => {
    const plan = ['--rounds', '1', '--local-steps', '30', '--lr', '3e-3', ...SHORT];
    const { validationLoss, parameters } = await ailo(train, '--model', 'ailo-guide', '--data', text, ...plan);
    expect(parameters).toBeGreaterThan(1_500_000);
    expect(validationLoss).toBeLessThan(2);
  },
  TIMEOUT_MS,
);

test.skipIf(!existsSync(stories))(
  'stories260k tells its own kind of story better than another (skipped where ../shared/models is missing)',
  async () => {
    const story = join(folder, 'story.txt');
    await writeFile(story, await readFile(join(stories, 'expected-greedy-200.txt'), 'utf8'));
    const own = await ailo(evaluate, '--model', stories, '--data', story, '--threads', '1');
    const other = await ailo(evaluate, '--model', stories, '--data', text, '--threads', '1');
    expect(own.loss).toBeLessThan(0.5);
    expect(other.loss).toBeGreaterThan(own.loss + 1);
  },
  TIMEOUT_MS,
);

describe('bad input is refused with one sentence:', () => {
  test.each<[string, Command, () => string[], RegExp]>([
    ['no model', train, () => ['--data', text], /--model is required/],
    ['no text', train, () => ['--model', 'nano-char'], /--data is required/],
    ['a text that is none', train, () => ['--model', 'nano-char', '--data', '/nowhere'], /--data/],
    ['a folder that is none', train, () => ['--model', '/nowhere', '--data', text], /no file “config.json”/],
    ['GPT-2 without its tokenizer', train, () => ['--model', 'gpt2-124m', '--data', text], /--tokenizer is required/],
    ['no steps', train, () => ['--model', 'nano-char', '--data', text, '--rounds', '0'], /--rounds must be/],
    ['a sequence beyond the context', train, () => ['--model', 'nano-char', '--data', text, '--seq', '65'], /1 to 64/],
    ['more workers than text', train, () => ['--model', 'nano-char', '--data', text, '--workers', '50'], /too short/],
    ['adapters of a preset', train, () => ['--model', 'nano-char', '--data', text, '--lora-rank', '4'], /not a preset/],
    ['a merge of nothing', train, () => ['--model', 'nano-char', '--data', text, '--merge'], /goes with --lora-rank/],
    ['an adapter that is none', evaluate, () => [...GUIDE, '--data', text], /adapter_config.json/],
    ['a model without tokenizer', evaluate, () => ['--model', 'tests/fixtures/gpt2-f16', '--data', text], /tokenizer/],
  ])('%s', async (_, command, args, sentence) => {
    const { name, message } = await refused(command, ...args());
    expect(name).toBe('AiloError');
    expect(message).toMatch(sentence);
    expect(message).not.toContain('\n');
  });
});
