/**
 * Two Chromium profiles hold the halves of a model and compute the same answer over WebRTC, over a WebRTC link that is cut in
 * the middle of it, and by way of the coordinator. A third loads its half from the one that has it.
 */
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Coordinator, startCoordinator } from '../../server/coordinator/coordinator.ts';
import { createHeadlessNode } from '../../server/node/headless.ts';
import type { AiloNode } from '../../shared/node/types.ts';
import { GREEDY } from '../../shared/sampler/types.ts';
import { buildForTest, openProfile, type Profile } from './extension-harness.ts';
import { STORIES, STORIES_NAME } from './network.ts';

const STAGES = 2;
const PROMPT = 'Once upon a time';
/** llama2.c's 200 greedy tokens from the empty prompt begin with the four of `PROMPT`; this is half of them. */
const NEW_TOKENS = 96;

/** Makes every connection known to the test, counts what is sent, and lets none come about while `blocked`. */
const WATCH = `(() => {
  const watch = (globalThis.watch = { blocked: false, connections: [], sent: 0 });
  const Original = RTCPeerConnection;
  globalThis.RTCPeerConnection = class extends Original {
    constructor(...options) {
      if (watch.blocked) throw new Error('the test lets none come about');
      super(...options);
      watch.connections.push(this);
    }
  };
  const send = RTCDataChannel.prototype.send;
  RTCDataChannel.prototype.send = function (data) {
    watch.sent++;
    send.call(this, data);
  };
})()`;

/** The coordinator gives the first file so late that a neighbour can be asked for the weights; requests for them are counted. */
const SLOW_START = `(() => {
  const original = fetch;
  globalThis.weightRequests = 0;
  globalThis.fetch = async (url, ...rest) => {
    if (String(url).endsWith('.safetensors')) globalThis.weightRequests++;
    if (String(url).endsWith('config.json')) await new Promise((resolve) => setTimeout(resolve, 8_000));
    return original(url, ...rest);
  };
})()`;

describe.skipIf(!existsSync(STORIES))('an answer of two browsers', () => {
  let folder: string;
  let coordinator: Coordinator;
  let extension: Awaited<ReturnType<typeof buildForTest>>;
  let requester: AiloNode;
  const members: { profile: Profile; popup: Page }[] = [];
  const reference = existsSync(STORIES) ? readFileSync(join(STORIES, 'expected-greedy-200.txt'), 'utf8') : '';

  const inAll = (expression: string) =>
    Promise.all(members.map(({ profile }) => profile.evaluateOffscreen(expression)));
  const sent = async () => (await inAll('watch.sent')) as number[];

  const expectReference = (text: string) => expect(text).toBe(reference.slice(0, text.length));

  async function ask(onToken: (index: number) => void = () => {}): Promise<string> {
    const messages = [{ role: 'user' as const, content: PROMPT }];
    const request = { model: STORIES_NAME, messages, maxNewTokens: NEW_TOKENS, sampling: GREEDY };
    for await (const event of requester.chat(request)) {
      if (event.kind === 'token') onToken(event.index);
      if (event.kind !== 'finished') continue;
      expect(event.tokens).toBe(NEW_TOKENS);
      return PROMPT + event.text;
    }
    throw new Error('the answer ended without its last event');
  }

  async function askUntil(holds: () => Promise<boolean>): Promise<void> {
    do expectReference(await ask());
    while (!(await holds()));
  }

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ailo-direct-'));
    const log = pino({ level: 'warn' }, pino.destination(2));
    coordinator = await startCoordinator({
      dataDir: join(folder, 'coordinator'),
      host: '127.0.0.1',
      port: 0,
      models: [{ dir: STORIES, stages: STAGES }],
      log,
    });
    extension = await buildForTest(coordinator.url);
    const own = { dataDir: join(folder, 'requester'), budgetBytes: 2 ** 24, threads: 1 };
    requester = await createHeadlessNode({ url: coordinator.url, ...own, log });
    requester.start();
    for (let i = 0; i < STAGES; i++) {
      const profile = await openProfile(extension.dir);
      const onboarding = await profile.open('onboarding');
      await vi.waitFor(() => profile.evaluateOffscreen(WATCH), { timeout: 30_000 });
      await onboarding.getByRole('button', { name: 'Start contributing' }).click();
      const popup = await profile.open('popup');
      await popup.getByRole('tab', { name: 'Earnings' }).click();
      members.push({ profile, popup });
    }
    const ready = () => requester.state.models.find(({ id }) => id === STORIES_NAME)?.ready;
    await vi.waitFor(() => expect(ready()).toBe(STAGES), { timeout: 120_000 });
  });

  afterAll(async () => {
    await requester?.stop();
    for (const { profile } of members) await profile.close();
    await coordinator?.close();
    await extension?.remove();
    await rm(folder, { recursive: true, force: true });
  });

  it('is the reference text over WebRTC, which the popup shows', async () => {
    const links = members[0]!.popup.getByTestId('links');
    const shown = links.filter({ hasText: 'directly' }).waitFor({ timeout: 120_000 });
    // A link is made with the first job that could use it, which begins over the relay.
    await askUntil(async () => Math.min(...(await sent())) > NEW_TOKENS / 2);
    await shown;
  });

  it('is the same of three, the third of which had its half from a neighbour', async () => {
    const before = (await sent()).reduce((sum, count) => sum + count);
    const newcomer = await openProfile(extension.dir);
    try {
      const onboarding = await newcomer.open('onboarding');
      await vi.waitFor(() => newcomer.evaluateOffscreen(SLOW_START), { timeout: 30_000 });
      await onboarding.getByRole('button', { name: 'Start contributing' }).click();
      const popup = await newcomer.open('popup');
      await popup.getByRole('tab', { name: 'Earnings' }).click();
      await popup.getByText('Ready: the next answer').waitFor({ timeout: 120_000 });
      expect(await newcomer.evaluateOffscreen('weightRequests')).toBe(0);
      const lent = (await sent()).reduce((sum, count) => sum + count) - before;
      expect(lent, 'parts of 64 KiB of a mebibyte').toBeGreaterThan(15);
      expect(newcomer.problems).toEqual([]);
      expectReference(await ask());
    } finally {
      await newcomer.close();
    }
  });

  it('is the same when the link is cut in the middle of it, and goes on over another', async () => {
    const before = await sent();
    let cut: Promise<unknown> | undefined;
    const text = await ask((index) => {
      if (index === 30) cut = members[0]!.profile.evaluateOffscreen('watch.connections.at(-1).close()');
    });
    await cut;
    expectReference(text);
    for (const [i, count] of (await sent()).entries())
      expect(count, 'it began directly').toBeGreaterThan(before[i]! + 10);
    await askUntil(async () => ((await inAll('watch.connections.length')) as number[]).every((count) => count > 1));
  });

  it('is the same by way of the coordinator', async () => {
    await inAll('watch.blocked = true; for (const connection of watch.connections) connection.close()');
    const before = await sent();
    expectReference(await ask());
    expect(await sent()).toEqual(before);
    for (const { profile } of members) expect(profile.problems).toEqual([]);
  });
});
