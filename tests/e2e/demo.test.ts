/** The README's first command, as a newcomer runs it on a machine without a display. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const STORIES = fileURLToPath(new URL('../../../shared/models/stories260k/', import.meta.url));

describe.skipIf(!existsSync(STORIES))('npm start', () => {
  it('prints a conversation that three nodes were paid for, and ends', async () => {
    const { code, stdout, stderr } = await run('npm', ['run', '--silent', 'start', '--', '--headless', '--json']);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    const result = JSON.parse(stdout);
    expect(result).toMatchObject({ model: 'stories260k', stages: 3, conversation: [{ question: 'Once upon a time' }] });
    // Sampled, so the words differ each time; but it is English from the right model, not noise.
    const known = new Set(readFileSync(`${STORIES}/expected-greedy-200.txt`, 'utf8').toLowerCase().match(/\w+/g));
    const words: string[] = result.conversation[0].answer.toLowerCase().match(/\w+/g);
    expect(words.filter((word) => known.has(word)).length / words.length).toBeGreaterThan(0.3);
    expect(result.earnedMicroAlc).toHaveLength(3);
    for (const earned of result.earnedMicroAlc) expect(Number(earned)).toBeGreaterThanOrEqual(50_000);
  });
});

function run(file: string, args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] });
    const output = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text) => (output.stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text) => (output.stderr += text));
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, ...output }));
  });
}
