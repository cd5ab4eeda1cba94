/**
 * `npm run bench -- training`: forward and backward of one block of ailo-840m (d 1600, 128 tokens, f32) in Chromium, by
 * the extension's training engine, TensorFlow.js and jax-js with the same weights and threads, beside the speed that our
 * engine's plain products of the same shapes have. Every engine has a Chromium of its own; the rounds take turns, so
 * that what else the machine does falls on all. `--native` measures training in Node.js beside PyTorch instead.
 */
import type { Browser, Page } from 'playwright-core';
import { launchChromium } from '../../server/browser.ts';
import { type Cli, type Command, integer } from '../../server/cli.ts';
import { throwIfCancelled } from '../../shared/errors/cancelled.ts';
import type { Site } from '../isolated-site.ts';
import { among } from './among.ts';
import { rendererCpuMs } from './renderer-cpu.ts';
import { blockFlops, productsFlops } from './training/block.ts';
import { type Digest, difference } from './training/digest.ts';
import { type Figures, figuresOf, ratios, type Spent } from './training/figures.ts';
import { native } from './training/native.ts';
import { openSite } from './training/site.ts';
import { TRAINING_ENGINES, type TrainingEngineName } from './training/types.ts';

const DEFAULT_THREADS = 2;
/** Of losses and gradients, relative: engines round differently, but compute the same. */
const TOLERANCE = 1e-3;

interface Contender {
  engine: TrainingEngineName;
  page: Page;
  browser: Browser;
  threads: number;
  digest: Digest;
  steps: Spent[];
}

interface Measured {
  figures: ReadonlyMap<TrainingEngineName, Figures>;
  /** Of our engine's plain products. */
  products: Spent[];
  difference: number;
}

export const training: Command = {
  options: {
    engines: { type: 'string', value: 'LIST', description: `of ${TRAINING_ENGINES.join(',')} (all)` },
    rounds: { type: 'string', value: 'N', description: 'measured steps of each engine (10), after one that warms up' },
    threads: { type: 'string', value: 'N', description: `of each engine (${DEFAULT_THREADS})` },
    native: { type: 'boolean', description: 'training in Node.js beside PyTorch, one thread each, instead' },
  },

  async run(values, cli) {
    if (values.native) {
      cli.result({ benchmark: 'training', ...(await native()) });
      return;
    }
    const engines = among(values.engines, TRAINING_ENGINES, 'engines');
    const rounds = integer(values, 'rounds', { min: 1, max: 100, default: 10 });
    const threads = integer(values, 'threads', { min: 1, max: 8, default: DEFAULT_THREADS });
    const site = await openSite();
    try {
      const measured = await measure({ site, engines, rounds, threads }, cli);
      report(measured, cli);
    } finally {
      await site.close();
    }
  },
};

interface Measure {
  site: Site;
  engines: readonly TrainingEngineName[];
  rounds: number;
  threads: number;
}

async function measure({ site, engines, rounds, threads }: Measure, cli: Cli): Promise<Measured> {
  const contenders: Contender[] = [];
  const products: Spent[] = [];
  const browsers: Browser[] = [];
  try {
    for (const engine of engines) {
      throwIfCancelled(cli.signal);
      const browser = await launchChromium();
      browsers.push(browser);
      contenders.push(await load({ engine, browser, site, threads }));
    }
    const apart = Math.max(...contenders.map(({ digest }) => difference(contenders[0]!.digest, digest)));
    if (!(apart <= TOLERANCE)) throw new Error(`the engines compute different gradients: ${apart}`);
    for (let round = 0; round <= rounds; round++) {
      for (const { engine, page, browser, steps } of contenders) {
        throwIfCancelled(cli.signal);
        const step = await spent(browser, () => page.evaluate(() => globalThis.trainingStep()));
        if (round > 0) steps.push(step);
        if (engine !== 'ours') continue;
        const product = await spent(browser, () => page.evaluate(() => globalThis.trainingProducts()));
        if (round > 0) products.push(product);
      }
    }
    const flops = blockFlops();
    const figures = new Map(
      contenders.map(({ engine, threads, steps }) => [engine, figuresOf(steps, { flops, threads })]),
    );
    return { figures, products, difference: apart };
  } finally {
    for (const browser of browsers) await browser.close();
  }
}

interface Load {
  engine: TrainingEngineName;
  browser: Browser;
  site: Site;
  threads: number;
}

async function load({ engine, browser, site, threads: wanted }: Load): Promise<Contender> {
  const page = await browser.newPage();
  page.on('pageerror', (error) => console.error(`${engine}: ${error.message}`));
  await page.goto(site.url);
  await page.waitForFunction(() => 'trainingLoad' in globalThis);
  const threads = await page.evaluate((asked) => globalThis.trainingLoad(asked), { engine, threads: wanted });
  const digest = await page.evaluate(() => globalThis.trainingDigest());
  return { engine, page, browser, threads, digest, steps: [] };
}

/** What `run` takes, which returns its milliseconds. */
async function spent(browser: Browser, run: () => Promise<number>): Promise<Spent> {
  const before = await rendererCpuMs(browser);
  const ms = await run();
  return { ms, cpuMs: (await rendererCpuMs(browser)) - before };
}

function report({ figures, products, difference }: Measured, cli: Cli): void {
  const ours = figures.get('ours');
  const matmul = ours && figuresOf(products, { flops: productsFlops(), threads: ours.threads });
  const shareOfPeak = ours && matmul && ours.gflops / matmul.gflops;
  cli.print('forward and backward of a block of ailo-840m, 128 tokens, medians:');
  for (const [engine, { ms, cpuMs, gflops, threads }] of figures) {
    const cpu = `${cpuMs.toFixed(0)} ms of ${threads} threads`;
    cli.print(`  ${engine.padEnd(15)} ${ms.toFixed(0)} ms, ${gflops.toFixed(1)} GFLOP/s, ${cpu}`);
  }
  if (matmul && shareOfPeak) {
    const share = `${(100 * shareOfPeak).toFixed(1)} %`;
    const peak = `${matmul.gflops.toFixed(1)} GFLOP/s, ${matmul.cpuMs.toFixed(0)} ms of threads`;
    cli.print(`  ours is at ${share} of its plain products' speed (${peak})`);
  }
  for (const [peer, ratio] of Object.entries(ratios(figures))) cli.print(`  ${ratio.toFixed(2)} times ${peer}`);
  cli.print(`  losses and gradients differ by ${difference.toExponential(1)} at most`);
  cli.result({
    benchmark: 'training',
    ...Object.fromEntries(figures),
    ...{ matmulGflops: matmul?.gflops, shareOfPeak, ratios: ratios(figures), difference },
    matmul,
  });
}
