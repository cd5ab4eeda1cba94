import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import { build } from 'esbuild';
import Fastify, { type FastifyInstance } from 'fastify';
import type { Page } from 'playwright-core';
import { bundleCompute } from '../../extension/compute/bundle.ts';
import { throwIfCancelled } from '../../shared/errors/cancelled.ts';
import { AiloError } from '../../shared/errors/index.ts';
import type { GenerateEvent } from '../../shared/generate/generate.ts';
import type { ScoreEvent } from '../../shared/generate/score.ts';
import { createEventQueue, type EventQueue } from '../../shared/node/queue.ts';
import { ISOLATION, launchChromium, WEBGPU_ARGS } from '../browser.ts';
import type { PageEvent, PageRequest, RunGenerate, RunScore } from './request.ts';

/** A WASM heap ends at 4 GiB, and the page needs some of it beside the weights. */
const BUDGET_BYTES = 3 * 2 ** 30;
const PAGE = '<!doctype html><title>ailo generate</title><script type="module" src="generate-page.js"></script>';

/** Engines `wasm` and `webgpu`: headless Chromium, with the extension's compute worker and the model over HTTP. */
export const generateInBrowser: RunGenerate = (folder, request, signal) =>
  inBrowser<GenerateEvent>(folder, { ...request, task: 'generate', budgetBytes: BUDGET_BYTES }, signal);

export const scoreInBrowser: RunScore = (folder, request, signal) =>
  inBrowser<ScoreEvent>(folder, { ...request, task: 'score', budgetBytes: BUDGET_BYTES }, signal);

/** `Event` is what the request's task emits. */
async function* inBrowser<Event extends GenerateEvent | ScoreEvent>(
  folder: string,
  request: PageRequest,
  signal: AbortSignal,
): AsyncGenerator<Event, void, void> {
  const site = await mkdtemp(join(tmpdir(), 'ailo-generate-'));
  const server = Fastify();
  const cleanUp: (() => Promise<unknown>)[] = [() => rm(site, { recursive: true, force: true }), () => server.close()];
  try {
    await bundleSite(site);
    await serveSite(server, site, folder, request.adapter);
    const url = await server.listen({ host: '127.0.0.1', port: 0 });
    const browser = await launchChromium(request.engine === 'webgpu' ? { args: WEBGPU_ARGS } : {});
    cleanUp.push(() => browser.close());
    throwIfCancelled(signal);
    const events = createEventQueue<Event>();
    signal.addEventListener('abort', () => events.end(AiloError.of('CANCELLED', {}, signal.reason)));
    void drive(await browser.newPage(), url, request, events);
    yield* events;
  } finally {
    for (const step of cleanUp.reverse()) await step();
  }
}

/** Runs the request in the page; what it emits, and its end or error, goes into the queue. */
async function drive<Event extends GenerateEvent | ScoreEvent>(
  page: Page,
  url: string,
  request: PageRequest,
  events: EventQueue<Event>,
): Promise<void> {
  const failed = (reason: string, cause?: unknown) =>
    events.end(AiloError.of('ENGINE_UNAVAILABLE', { engine: request.engine, reason }, cause));
  page.on('crash', () => failed('the page crashed'));
  page.on('pageerror', (error) => failed(error.message, error));
  try {
    await page.exposeFunction('ailoEmit', (event: PageEvent) => events.push(received(event) as Event));
    await page.goto(url);
    const error = await page.evaluate((asked) => globalThis.ailoRun(asked), request);
    events.end(error && AiloError.fromWire(error));
  } catch (error) {
    failed((error as Error).message.split('\n')[0]!, error);
  }
}

function received(event: PageEvent): GenerateEvent | ScoreEvent {
  if (event.kind !== 'token') return event;
  const { token, logits } = event;
  return { kind: 'token', token, ...(logits && { logits: Float32Array.from(logits) }) };
}

async function bundleSite(site: string): Promise<void> {
  await bundleCompute(site);
  await build({
    entryPoints: { 'generate-page': fileURLToPath(new URL('page.ts', import.meta.url)) },
    outdir: site,
    bundle: true,
    format: 'esm',
    target: 'es2022',
    logLevel: 'warning',
  });
  await writeFile(join(site, 'index.html'), PAGE);
}

async function serveSite(
  server: FastifyInstance,
  site: string,
  folder: string,
  adapter: string | undefined,
): Promise<void> {
  server.addHook('onSend', async (_, reply) => {
    reply.headers(ISOLATION);
  });
  await server.register(fastifyStatic, { root: site });
  await server.register(fastifyStatic, { root: resolve(folder), prefix: '/model/', decorateReply: false });
  if (adapter === undefined) return;
  await server.register(fastifyStatic, { root: resolve(adapter), prefix: '/adapter/', decorateReply: false });
}
