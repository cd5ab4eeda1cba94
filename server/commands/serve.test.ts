import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { serve } from './serve.ts';

const modelDir = fileURLToPath(new URL('../../../shared/models/stories260k', import.meta.url));
const missing = !existsSync(modelDir);
if (missing) console.warn('skipped: the folder “shared” with the model stories260k is not beside the project');

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ailo-serve-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Runs the command until it is ready, asks for `path`, then presses Ctrl-C. */
async function serving(values: Record<string, string>, path: string) {
  const stop = new AbortController();
  const results: object[] = [];
  let answer: unknown;
  await serve.run(
    { model: modelDir, data: join(folder, 'data'), port: '0', ...values },
    {
      json: true,
      log: pino({ level: 'silent' }),
      print: () => {},
      result: (value) => {
        results.push(value);
        const { url } = value as { url: string };
        void fetch(url + path)
          .then((response) => response.json())
          .then((body) => {
            answer = body;
          })
          .finally(() => stop.abort());
      },
      signal: stop.signal,
    },
  );
  return { results, answer };
}

describe.skipIf(missing)('ailo serve', () => {
  test('says once where it listens, answers, and ends with Ctrl-C', async () => {
    const { results, answer } = await serving({ stages: '4', quant: 'int8' }, '/healthz');
    expect(results).toEqual([
      {
        url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
        models: ['stories260k'],
        networkId: expect.any(String),
      },
    ]);
    expect(answer).toEqual({ status: 'ok' });
    await expect(fetch(`${(results[0] as { url: string }).url}/healthz`)).rejects.toThrow();
  });

  test('founds a network by the rules of a file', async () => {
    const genesis = join(folder, 'rules.json');
    await writeFile(genesis, JSON.stringify({ name: 'Test net', transfer: { confirmations: 2 } }));
    const { answer } = await serving({ genesis }, '/v1/network');
    expect(answer).toMatchObject({
      name: 'Test net',
      genesis: { transfer: { confirmations: 2, feeMicroAlc: '10000' } },
    });
  });

  test.each([
    ['a rule that does not exist', '{"transfer":{"fee":"1"}}', 'transfer'],
    ['another key', `{"publicKey":"${'0'.repeat(64)}"}`, 'publicKey'],
    ['no JSON', 'name: x', 'JSON'],
  ])('refuses a genesis file with %s', async (_, text, hint) => {
    const genesis = join(folder, 'rules.json');
    await writeFile(genesis, text);
    const refused = serving({ genesis }, '/healthz');
    await expect(refused).rejects.toMatchObject({ code: 'USAGE', message: expect.stringContaining(hint) });
    expect(existsSync(join(folder, 'data'))).toBe(false);
  });

  test.each([
    [{ stages: '13' }, 'PLAN_IMPOSSIBLE'],
    [{ stages: 'many' }, 'USAGE'],
    [{ port: '70000' }, 'USAGE'],
    [{ quant: 'int2' }, 'USAGE'],
    [{ wire: 'int4' }, 'USAGE'],
    [{ ice: 'turn:user@relay.example.org' }, 'USAGE'],
    [{ ice: 'stun:a.example.org,http://b.example.org' }, 'USAGE'],
  ])('refuses %o with %s', async (values, code) => {
    await expect(serving(values as Record<string, string>, '/healthz')).rejects.toMatchObject({ code });
  });
});
