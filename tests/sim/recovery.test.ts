/**
 * Answers that survive: headless nodes as processes of their own, killed without warning in the middle of answers, one or
 * two at once. AILO_RECOVERY_RUNS says how many answers (`npm run test:recovery`: 200). Prints what came of them as JSON.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Coordinator, startCoordinator } from '../../server/coordinator/coordinator.ts';
import { createHeadlessNode } from '../../server/node/headless.ts';
import { openWalletFile } from '../../server/node/wallet-file.ts';
import type { AiloNode } from '../../shared/node/types.ts';
import { seededRandom } from '../../shared/sampler/random.ts';
import { GREEDY, type Sampling } from '../../shared/sampler/types.ts';

const MODEL = 'stories260k';
const PROMPT = 'Once upon a time';
const STAGES = 4;
/** Each stage is held twice. */
const NODES = 2 * STAGES;
/** llama2.c's 200 greedy tokens from the empty prompt begin with the four of `PROMPT`. */
const ANSWER_TOKENS = 196;
const RUNS = Number(process.env.AILO_RECOVERY_RUNS ?? 10);
const SAMPLED: Sampling = { temperature: 0.9, topK: 0, topP: 0.9, repetitionPenalty: 1.1, seed: 7 };
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const MODEL_DIR = fileURLToPath(new URL(`../../../shared/models/${MODEL}/`, import.meta.url));
const WAIT = { timeout: 120_000, interval: 20 };

interface Member {
  address: string;
  process: ChildProcess;
  /** What it told its operator last of what it is at. */
  line: string;
}

describe.skipIf(!existsSync(MODEL_DIR))('nodes that are killed in the middle of an answer', () => {
  let folder: string;
  let coordinator: Coordinator;
  let requester: AiloNode;
  let count = 0;
  const members = new Map<string, Member>();

  async function addMember(): Promise<void> {
    const dataDir = join(folder, `node-${count++}`);
    const { address } = await openWalletFile(join(dataDir, 'wallet.json'));
    const options = ['--url', coordinator.url, '--data', dataDir, '--threads', '1', '--budget-mib', '64'];
    const child = spawn(process.execPath, ['server/ailo.mjs', 'node', ...options], { cwd: ROOT });
    const member: Member = { address, process: child, line: '' };
    child.stdout.on('data', (chunk: Buffer) => {
      const lines = chunk.toString().trim().split('\n');
      member.line = lines.findLast((line) => !line.startsWith('Balance')) ?? member.line;
    });
    members.set(address, member);
  }

  /** Enough nodes, all of them with a part in memory. */
  async function complete(): Promise<void> {
    while (members.size < NODES) await addMember();
    await vi.waitFor(() => {
      for (const { line } of members.values()) expect(line).toMatch(/^Ready/);
      expect(requester.state.models).toMatchObject([{ ready: STAGES }]);
    }, WAIT);
  }

  function kill(address: string): void {
    members.get(address)!.process.kill('SIGKILL');
    members.delete(address);
  }

  /** `disturb` is called with who takes part, before the first token (-1) and after each. */
  async function ask(sampling: Sampling, disturb: (index: number, participants: string[]) => void) {
    const messages = [{ role: 'user' as const, content: PROMPT }];
    const pausesMs: number[] = [];
    let participants: string[] = [];
    let tokens = 0;
    let text = '';
    for await (const event of requester.chat({ model: MODEL, messages, maxNewTokens: ANSWER_TOKENS, sampling })) {
      if (event.kind === 'accepted') {
        ({ participants } = event);
        disturb(-1, participants);
      } else if (event.kind === 'token') {
        tokens++;
        if (event.pausedMs !== undefined) pausesMs.push(event.pausedMs);
        disturb(event.index, participants);
      } else {
        text = event.text;
      }
    }
    return { tokens, text, pausesMs };
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ailo-recovery-'));
    const log = pino({ level: 'silent' });
    coordinator = await startCoordinator({
      dataDir: join(folder, 'coordinator'),
      host: '127.0.0.1',
      port: 0,
      models: [{ dir: MODEL_DIR, id: MODEL, stages: STAGES }],
      log,
    });
    const dataDir = join(folder, 'requester');
    requester = await createHeadlessNode({ url: coordinator.url, dataDir, budgetBytes: 2 ** 20, log });
    requester.start();
    await complete();
  }, 300_000);

  afterAll(async () => {
    for (const { process: child } of members.values()) child.kill('SIGKILL');
    await requester?.stop();
    await coordinator?.close();
    await rm(folder, { recursive: true, force: true });
  });

  it(
    'cost it no token and change none',
    async () => {
      const seed = (Math.random() * 2 ** 32) >>> 0;
      const uniform = seededRandom(seed);
      const draw = (below: number) => Math.floor((uniform() / 2 ** 32) * below);
      const greedy = await readFile(join(MODEL_DIR, 'expected-greedy-200.txt'), 'utf8');
      const sampled = await ask(SAMPLED, () => {});
      const [resumeMs, failures]: [number[], string[]] = [[], []];
      let [identical, tokensLost] = [0, 0];
      for (let run = 0; run < RUNS; run++) {
        await complete();
        const isGreedy = run % 2 === 0;
        const expected = isGreedy ? { text: greedy.slice(PROMPT.length), tokens: ANSWER_TOKENS } : sampled;
        const first = draw(STAGES);
        // Every other pair of runs loses two at once, neighbours or not.
        const stages = run % 4 < 2 ? [first] : [first, (first + 1 + draw(STAGES - 1)) % STAGES];
        const moment = draw(expected.tokens) - 1;
        const delayMs = draw(8);
        let killed = Promise.resolve();
        const answer = await ask(isGreedy ? GREEDY : SAMPLED, (index, participants) => {
          if (index !== moment) return;
          killed = new Promise((resolve) => {
            setTimeout(() => resolve(stages.forEach((stage) => void kill(participants[stage]!))), delayMs);
          });
        });
        await killed;
        tokensLost += expected.tokens - answer.tokens;
        resumeMs.push(...answer.pausesMs);
        if (answer.text === expected.text) identical++;
        else failures.push(`run ${run}: parts ${stages} at token ${moment}: ${answer.text}`);
      }
      resumeMs.sort((a, b) => a - b);
      const percentile = (share: number) => resumeMs[Math.ceil(share * resumeMs.length) - 1] ?? 0;
      const [resumeMsP50, resumeMsP95] = [percentile(0.5), percentile(0.95)];
      console.log(JSON.stringify({ runs: RUNS, identical, tokensLost, resumeMsP50, resumeMsP95, seed }));
      expect(failures).toEqual([]);
      expect(tokensLost).toBe(0);
      expect(resumeMs.length, 'answers really stood still').toBeGreaterThan(RUNS / 2);
    },
    RUNS * 60_000,
  );
});
