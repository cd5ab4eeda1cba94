/** The benchmark runs and says what it promises; how fast the machine is does not matter here. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const ARGS = ['--import', 'tsx', 'tests/bench/main.ts', 'pipeline', '--shape', 'tiny', '--threads', '1', '--json'];

it('a tiny model over four processes is measured', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ARGS, { cwd: ROOT, timeout: 240_000 });
  const result = JSON.parse(stdout);
  expect(result).toMatchObject({ benchmark: 'pipeline', shape: 'tiny', stages: 4, threads: 1, streams: 8 });
  const figures = ['hopMsP50', 'hopMsP99', 'aloneTokensPerSecond', 'roomTokensPerSecond', 'streamsTokensPerSecond'];
  for (const name of figures) expect(result[name], name).toBeGreaterThan(0);
  expect(result.peakRssMib).toHaveLength(4);
});
