/** `ailo simulate` with a node that ends in the middle of the answer: the command, its processes, its figures. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

async function simulate(...options: string[]) {
  const args = ['server/ailo.mjs', 'simulate', ...options, '--json'];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: ROOT });
  return JSON.parse(stdout) as Record<string, unknown>;
}

describe('a simulated network', () => {
  it('answers as one machine does, though a node is lost', async () => {
    const options = ['--nodes', '16', '--latency-ms', '5', '--jitter', '2', '--loss', '0.002', '--kill', '1'];
    const result = await simulate('--model', 'llama-2-7b', ...options, '--tokens', '30', '--seed', '3');
    expect(result).toMatchObject({
      stages: 16,
      nodes: 17,
      tokens: 30,
      recovered: 1,
      tokensLost: 0,
      identical: true,
      latencyFloorTokensPerSecond: 12.5,
    });
    expect(result.drafted).toBe(0);
    // No timing is promised but that nothing is faster than its way.
    expect(result.tokensPerSecond).toBeLessThan(12.5);
  });

  it('answers the same when it runs ahead, greedy or sampled', async () => {
    for (const temperature of ['0', '0.3']) {
      const options = [
        '--nodes',
        '12',
        '--latency-ms',
        '5',
        '--kill',
        '1',
        '--speculate',
        '--temperature',
        temperature,
      ];
      const result = await simulate('--model', 'llama-2-7b', ...options, '--tokens', '60', '--seed', '1');
      expect(result).toMatchObject({ tokens: 60, recovered: 1, tokensLost: 0, identical: true });
      expect(result.drafted).toBeGreaterThan(0);
      // What is drawn at random hardly repeats itself.
      if (temperature === '0') expect(result.acceptance).toBeGreaterThan(0);
    }
  });
});
