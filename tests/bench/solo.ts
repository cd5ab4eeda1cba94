/**
 * `npm run bench -- solo`: tokens a second of one browser that runs a whole model by itself, in the same shapes, with the
 * same random weights and threads, beside Transformers.js and wllama. Every engine has a Chromium of its own; the rounds
 * take turns, so that what else the machine does falls on all.
 */
import type { Browser, Page } from 'playwright-core';
import { launchChromium } from '../../server/browser.ts';
import { type Cli, type Command, integer } from '../../server/cli.ts';
import { throwIfCancelled } from '../../shared/errors/cancelled.ts';
import { seededRandom } from '../../shared/sampler/random.ts';
import type { Site } from '../isolated-site.ts';
import { among } from './among.ts';
import { peakRendererBytes } from './renderer-memory.ts';
import { comparisons, figuresOf, type Measured } from './solo/figures.ts';
import { WRITABLE_TOKENS } from './solo/gguf.ts';
import { configOf, prefillFlops, SOLO_MODELS, type SoloModel } from './solo/models.ts';
import { openSite } from './solo/site.ts';
import { SOLO_ENGINES, type SoloAnswer, type SoloEngineName } from './solo/types.ts';

const PREFILL_TOKENS = 256;
const CONTEXT_LENGTH = 512;
const THREADS = 2;
const SEED = 20_261_125;

interface Contender {
  engine: SoloEngineName;
  page: Page;
  browser: Browser;
  answers: SoloAnswer[];
}

export const solo: Command = {
  options: {
    model: { type: 'string', value: 'NAME', description: `${SOLO_MODELS.join(' or ')} (both)` },
    engines: { type: 'string', value: 'LIST', description: `of ${SOLO_ENGINES.join(',')} (all)` },
    rounds: { type: 'string', value: 'N', description: 'measured texts of each engine (5), after one that warms up' },
    decode: { type: 'string', value: 'N', description: 'tokens that each text is continued by (64)' },
  },

  async run(values, cli) {
    const models = among(values.model, SOLO_MODELS, 'model');
    const engines = among(values.engines, SOLO_ENGINES, 'engines');
    const rounds = integer(values, 'rounds', { min: 1, max: 100, default: 5 });
    const newTokens = integer(values, 'decode', { min: 2, max: CONTEXT_LENGTH - PREFILL_TOKENS, default: 64 });
    const site = await openSite(models, CONTEXT_LENGTH);
    try {
      const results: Record<string, object> = {};
      for (const model of models) results[model] = await measure({ site, model, engines, rounds, newTokens }, cli);
      cli.result({ benchmark: 'solo', threads: THREADS, prefillTokens: PREFILL_TOKENS, rounds, models: results });
    } finally {
      await site.close();
    }
  },
};

interface Measure {
  site: Site;
  model: SoloModel;
  engines: readonly SoloEngineName[];
  rounds: number;
  newTokens: number;
}

async function measure({ site, model, engines, rounds, newTokens }: Measure, cli: Cli): Promise<object> {
  const contenders: Contender[] = [];
  try {
    for (const engine of engines) {
      throwIfCancelled(cli.signal);
      const browser = await launchChromium();
      const contender: Contender = { engine, browser, page: await browser.newPage(), answers: [] };
      contenders.push(contender);
      await load(contender, site, model);
    }
    for (let round = 0; round <= rounds; round++) {
      const prompt = randomPrompt(round);
      for (const { page, answers } of contenders) {
        throwIfCancelled(cli.signal);
        const answer = await page.evaluate((asked) => globalThis.soloAnswer(asked), { prompt, newTokens });
        if (round > 0) answers.push(answer);
      }
    }
    const measured = new Map<SoloEngineName, Measured>();
    const flops = prefillFlops({ config: configOf(model), tokens: PREFILL_TOKENS });
    for (const { engine, answers, browser } of contenders) {
      const peakBytes = await peakRendererBytes(browser);
      const figures = figuresOf(answers, { prefillTokens: PREFILL_TOKENS, newTokens, flops, peakBytes });
      measured.set(engine, { figures, answers });
    }
    print(model, measured, cli);
    const figures = [...measured].map(([engine, { figures }]) => [engine, figures]);
    return { ...Object.fromEntries(figures), against: comparisons(measured) };
  } finally {
    for (const { browser } of contenders) await browser.close();
  }
}

async function load({ engine, page }: Contender, site: Site, model: SoloModel): Promise<void> {
  page.on('pageerror', (error) => console.error(`${engine}: ${error.message}`));
  await page.goto(site.url);
  await page.waitForFunction(() => 'soloLoad' in globalThis);
  const what = { engine, model, threads: THREADS, contextLength: CONTEXT_LENGTH, seed: SEED };
  await page.evaluate((asked) => globalThis.soloLoad(asked), what);
}

function print(model: string, measured: ReadonlyMap<SoloEngineName, Measured>, cli: Cli): void {
  cli.print(`${model}, ${THREADS} threads, medians:`);
  for (const [engine, { figures }] of measured) {
    const { decodeTokensPerSecond, prefillTokensPerSecond, prefillGflops, peakBytes } = figures;
    const memory = peakBytes === undefined ? '' : `, at most ${Math.round(peakBytes / 2 ** 20)} MiB`;
    const prefill = `${prefillTokensPerSecond.toFixed(1)} tok/s (${prefillGflops.toFixed(1)} GFLOP/s)`;
    cli.print(`  ${engine.padEnd(16)} decode ${decodeTokensPerSecond.toFixed(1)} tok/s, prefill ${prefill}${memory}`);
  }
  for (const [peer, { decode, prefill, agreeing }] of Object.entries(comparisons(measured))) {
    const same = `${Math.round(100 * agreeing)} % of its texts begin as ours`;
    cli.print(`  ${decode.toFixed(2)} times ${peer}'s decode, ${prefill.toFixed(2)} times its prefill; ${same}`);
  }
}

function randomPrompt(round: number): number[] {
  const random = seededRandom(SEED + round);
  return Array.from({ length: PREFILL_TOKENS }, () => random() % WRITABLE_TOKENS);
}
