/**
 * `npm run bench -- virtual`: a whole local step of `ailo-840m` in a tab of Chromium, weights and optimiser state on the
 * disk, and a second start from stored weights. It takes about 20 GB of disk, which it gives back.
 */
import type { BrowserContext, Page } from 'playwright-core';
import { launchProfile } from '../../server/browser.ts';
import { type Cli, type Command, integer } from '../../server/cli.ts';
import { PRESETS } from '../../shared/train/presets.ts';
import { median } from './median.ts';
import { peakRendererBytes } from './renderer-memory.ts';
import { stepFlops } from './virtual/flops.ts';
import { openVirtualSite, type VirtualSite } from './virtual/site.ts';
import type { MeasuredStep, VirtualOptions } from './virtual/types.ts';

const THREADS = 2;
const SEED = 20_261_125;

export const virtual: Command = {
  options: {
    layers: { type: 'string', value: 'N', description: 'of the model, which has 24' },
    sequence: { type: 'string', value: 'N', description: 'tokens of a step (1024)' },
    steps: { type: 'string', value: 'N', description: 'steps, of which the last is reported (1)' },
  },

  async run(values, cli) {
    const config = PRESETS['ailo-840m'];
    const layers = integer(values, 'layers', { min: 1, max: config.layers, default: config.layers });
    const sequence = integer(values, 'sequence', { min: 16, max: config.maxPositions, default: 1024 });
    const steps = integer(values, 'steps', { min: 1, max: 100, default: 1 });
    const options: VirtualOptions = { layers, shape: { batch: 1, sequence }, threads: THREADS, seed: SEED };
    cli.print('making the weights …');
    const site = await openVirtualSite({ ...config, layers }, SEED);
    try {
      const first = await firstStart(site, options, steps, cli);
      const second = await secondStart(site, options);
      const { needed, computed } = stepFlops({ ...config, layers }, options.shape);
      const { step } = first;
      const matmulGflops = median(step.matmulGflops);
      const gflops = computed / step.seconds / 1e9;
      const share = gflops / matmulGflops;
      const peakBytes = Math.max(first.peakBytes ?? 0, second.peakBytes ?? 0) || undefined;
      cli.print(
        `a step over ${sequence} tokens: ${step.seconds.toFixed(1)} s, ${gflops.toFixed(1)} of ${matmulGflops.toFixed(1)} GFLOP/s`,
      );
      cli.result({
        ...{ benchmark: 'virtual', layers, tokens: sequence, threads: THREADS, seconds: step.seconds },
        ...{ computeSeconds: step.computeSeconds, gradientSeconds: step.gradientSeconds },
        ...{ gradientComputeSeconds: step.gradientComputeSeconds, loss: step.loss, gradientNorm: step.gradientNorm },
        ...{ bytesRead: step.bytesRead, bytesWritten: step.bytesWritten, gflops, matmulGflops, share },
        ...{ neededGflops: needed / step.seconds / 1e9, neededShare: needed / step.seconds / 1e9 / matmulGflops },
        ...{ matmulGflopsRange: [Math.min(...step.matmulGflops), Math.max(...step.matmulGflops)] },
        ...{ peakBytes, chunks: first.chunks, firstStartSeconds: first.startSeconds },
        ...{ secondStartSeconds: second.startSeconds, networkRequests: second.networkRequests },
      });
    } finally {
      await site.close();
    }
  },
};

async function firstStart(site: VirtualSite, options: VirtualOptions, steps: number, cli: Cli) {
  return inProfile(site, async (page) => {
    await page.evaluate((options) => globalThis.virtual.open(options), options);
    const { seconds, chunks } = await page.evaluate(() => globalThis.virtual.begin());
    cli.print(`${chunks} chunks were there after ${seconds.toFixed(1)} s, with ${await peakMiB(page)}`);
    let step: MeasuredStep | undefined;
    for (let number = 0; number < steps; number++) {
      step = await page.evaluate(() => globalThis.virtual.step());
      const { seconds, loss } = step;
      cli.print(`step ${number + 1}: ${seconds.toFixed(1)} s, loss ${loss.toFixed(3)}, with ${await peakMiB(page)}`);
    }
    return { startSeconds: seconds, chunks, step: step! };
  });
}

/** The browser is started anew, and the weights are taken over once more, as a new round would. */
async function secondStart(site: VirtualSite, options: VirtualOptions) {
  const before = site.chunkRequests();
  return inProfile(site, async (page) => {
    await page.evaluate((options) => globalThis.virtual.open(options), options);
    const { seconds } = await page.evaluate(() => globalThis.virtual.begin());
    return { startSeconds: seconds, networkRequests: site.chunkRequests() - before };
  });
}

async function peakMiB(page: Page): Promise<string> {
  const bytes = await peakRendererBytes(page.context().browser()!);
  return bytes === undefined ? 'unknown memory' : `at most ${Math.round(bytes / 2 ** 20)} MiB`;
}

async function inProfile<T>(site: VirtualSite, use: (page: Page) => Promise<T>): Promise<T & { peakBytes?: number }> {
  const context: BrowserContext = await launchProfile(site.profileDir);
  try {
    const page = await context.newPage();
    page.on('pageerror', (error) => console.error(error.message));
    page.on('console', (message) => message.type() === 'error' && console.error(message.text()));
    await page.goto(site.url);
    await page.waitForFunction(() => 'virtual' in globalThis);
    const result = await use(page);
    const peakBytes = await peakRendererBytes(context.browser()!);
    return { ...result, ...(peakBytes !== undefined && { peakBytes }) };
  } finally {
    await context.close();
  }
}
