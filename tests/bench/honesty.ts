/** `npm run bench -- honesty`: how soon nodes that cheat are caught, what they earned, and whether answers are right. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Command, choice, integer, number, usage } from '../../server/cli.ts';
import { UNKNOWN } from '../../server/coordinator/honesty/trust.ts';
import { QUANTS } from '../../shared/graph/types.ts';
import { ATTACKS } from './honesty/attacks.ts';
import { measureEngines } from './honesty/engines.ts';
import type { Answer } from './honesty/network.ts';
import { honestAnswers, runTrial, type Trial } from './honesty/trial.ts';

const MODEL_DIR = fileURLToPath(new URL('../../../shared/models/stories260k', import.meta.url));
/** A wallet is new, at its first request; more than these it is not asked. */
const MAX_REQUESTS = 20;

export const honesty: Command = {
  options: {
    trials: { type: 'string', value: 'N', description: 'networks of each kind of cheat (5)' },
    stages: { type: 'string', value: 'K', description: 'stages of the model (4)' },
    quant: { type: 'string', value: 'QUANT', description: `${QUANTS.join(', ')} (f32)` },
    share: { type: 'string', value: 'F', description: 'share of its answers that the cheat spoils (1)' },
    passes: { type: 'string', value: 'N', description: 'checks that the cheat has passed before (0)' },
    attack: { type: 'string', value: 'KIND', description: `only this: ${ATTACKS.join(', ')}` },
    texts: { type: 'string', value: 'N', description: 'of 200 tokens, over which engines are compared (2; 0: none)' },
    seed: { type: 'string', value: 'N', description: 'of the first trial (1)' },
  },

  async run(values, cli) {
    if (!existsSync(MODEL_DIR)) throw usage('the model stories260k is not in the folder “shared” beside the project');
    const trials = integer(values, 'trials', { min: 1, max: 10_000, default: 5 });
    const first = integer(values, 'seed', { min: 0, max: 2 ** 31, default: 1 });
    const texts = integer(values, 'texts', { min: 0, max: 1_000, default: 2 });
    const share = number(values, 'share', { min: 0, max: 1, default: 1 });
    const passes = integer(values, 'passes', { min: 0, max: 1_000, default: 0 });
    const kinds = values.attack === undefined ? ATTACKS : [choice(values, 'attack', ATTACKS, ATTACKS[0])];
    const chunksDir = await mkdtemp(join(tmpdir(), 'ailo-chunks-'));
    const common = {
      modelDir: MODEL_DIR,
      chunksDir,
      stages: integer(values, 'stages', { min: 1, max: 12, default: 4 }),
      quant: choice(values, 'quant', QUANTS, 'f32'),
    };
    try {
      const engines = texts > 0 ? await measureEngines(MODEL_DIR, texts) : undefined;
      if (engines) cli.print(`engines differ by ${JSON.stringify(engines)}`);
      const alone = await honestAnswers(common, MAX_REQUESTS + 1, 1);
      const checked = await honestAnswers(common, MAX_REQUESTS + 1, 2);
      const same = alone.answers.every(({ text }, n) => text === checked.answers[n]!.text);
      cli.print(
        `${checked.answers.length} answers of honest nodes, all checked: ${checked.accused} accused, the same ${same}`,
      );
      const results: Record<string, ReturnType<typeof summary>> = {};
      for (const attack of kinds) {
        const done: Trial[] = [];
        for (let i = 0; i < trials && !cli.signal.aborted; i++) {
          const trust = { ...UNKNOWN, passes };
          const options = { ...common, attack, share, trust, seed: first + i, expected: alone.answers };
          done.push(await runTrial({ ...options, maxRequests: MAX_REQUESTS }));
        }
        results[attack] = summary(done);
        cli.print(`${attack}: ${JSON.stringify(results[attack])}`);
      }
      const honest = { answers: checked.answers.length, accused: checked.accused, same, ...times(checked.answers) };
      cli.result({
        benchmark: 'honesty',
        ...common,
        modelDir: undefined,
        chunksDir: undefined,
        share,
        passes,
        honest,
        engines,
        attacks: results,
      });
    } finally {
      await rm(chunksDir, { recursive: true, force: true });
    }
  },
};

/** Medians of an answer, and of how much longer its end takes for the checks of all its stages. */
function times(answers: Answer[]) {
  const median = (of: (answer: Answer) => number) => {
    const sorted = answers.map(of).sort((a, b) => a - b);
    return Math.round(sorted[Math.floor(sorted.length / 2)]!);
  };
  return { answerMs: median(({ latencyMs }) => latencyMs), checkedMs: median(({ checkedMs }) => checkedMs) };
}

function summary(trials: Trial[]) {
  const requests = trials.flatMap((trial) => trial.requests ?? []).sort((a, b) => a - b);
  const total = (of: (trial: Trial) => number) => trials.reduce((sum, trial) => sum + of(trial), 0);
  return {
    trials: trials.length,
    caught: requests.length,
    requestsMax: requests.at(-1) ?? 0,
    requestsP99: requests[Math.ceil(0.99 * requests.length) - 1] ?? 0,
    requestsMean: requests.reduce((sum, n) => sum + n, 0) / Math.max(1, requests.length),
    spoiled: total(({ spoiled }) => spoiled),
    wrongAtTheEnd: total(({ wrong }) => wrong),
    corrected: total(({ corrected }) => corrected),
    earnedMicroAlc: total(({ earnedMicroAlc }) => earnedMicroAlc),
    honestAccused: total(({ accused }) => accused),
  };
}
