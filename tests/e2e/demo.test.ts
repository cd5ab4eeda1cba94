/** The README's first command, as a newcomer runs it on a machine without a display. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readCorpus } from '../../server/guide/corpus.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

describe('npm start', () => {
  it('prints a conversation about Ailo that three nodes were paid for, and ends', async () => {
    const { code, stdout, stderr } = await run('npm', ['run', '--silent', 'start', '--', '--headless', '--json']);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    const result = JSON.parse(stdout);
    expect(result).toMatchObject({ model: 'ailo-guide', stages: 3, conversation: [{ question: 'What is Ailo?' }] });
    // Sampled, so a word may differ; but it is what the corpus says, not noise.
    const entries = await readCorpus();
    const expected = entries.find(({ wordings }) => wordings.includes('what is Ailo'))!.answer;
    const known = new Set(wordsOf(expected));
    const words = wordsOf(result.conversation[0].answer);
    expect(words.filter((word) => known.has(word)).length / words.length).toBeGreaterThan(0.8);
    expect(result.earnedMicroAlc).toHaveLength(3);
    for (const earned of result.earnedMicroAlc) expect(Number(earned)).toBeGreaterThanOrEqual(50_000);
  });
});

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/\w+/g) ?? [];
}

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
