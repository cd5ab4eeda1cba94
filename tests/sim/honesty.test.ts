/**
 * Nodes that cheat in a real network: one network for each kind, or as many as AILO_HONESTY_RUNS says. The experiment with
 * its figures is `npm run bench -- honesty`.
 */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ATTACKS } from '../bench/honesty/attacks.ts';
import type { Answer } from '../bench/honesty/network.ts';
import { honestAnswers, runTrial } from '../bench/honesty/trial.ts';

const MODEL_DIR = fileURLToPath(new URL('../../../shared/models/stories260k', import.meta.url));
const RUNS = Number(process.env.AILO_HONESTY_RUNS ?? 1);
const MAX_REQUESTS = 20;

describe.skipIf(!existsSync(MODEL_DIR))('a node that cheats', () => {
  const common = { modelDir: MODEL_DIR, chunksDir: '', stages: 4, quant: 'f32' as const };
  let expected: Answer[];

  beforeAll(async () => {
    common.chunksDir = await mkdtemp(join(tmpdir(), 'ailo-chunks-'));
    ({ answers: expected } = await honestAnswers(common, MAX_REQUESTS + 1, 1));
  });
  afterAll(() => rm(common.chunksDir, { recursive: true, force: true }));

  it('is nowhere where all are honest: nobody is accused, and checks change no answer', async () => {
    const { answers, accused } = await honestAnswers(common, 6, 2);
    expect(answers.map(({ text }) => text)).toEqual(expected.slice(0, 6).map(({ text }) => text));
    expect(answers.every(({ rewound }) => rewound === 0)).toBe(true);
    expect(accused).toBe(0);
  });

  it.each(ATTACKS)(
    'by “%s” is caught, earns nothing, and the answer is put right',
    async (attack) => {
      for (let seed = 1; seed <= RUNS; seed++) {
        const trial = await runTrial({ ...common, attack, seed, share: 1, expected, maxRequests: MAX_REQUESTS });
        expect(trial, `seed ${seed}`).toMatchObject({ wrong: 0, earnedMicroAlc: 0, accused: 0 });
        expect(trial.requests, `seed ${seed}`).toBe(1);
      }
    },
    RUNS * 60_000,
  );
});
