/**
 * Two Chromium profiles hold the halves of a model and compute the same answer by way of the coordinator, over WebRTC, and
 * over a WebRTC link that is cut in the middle of it.
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
/** llama2.c's 200 greedy tokens from the empty prompt begin with the four of `PROMPT`. */
const NEW_TOKENS = 196;

/** Makes every connection known to the test, counts what is sent, and lets none come about while `blocked`. */
const WATCH = `(() => {
  const watch = (globalThis.watch = { blocked: true, connections: [], sent: 0 });
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

  async function ask(onToken: (index: number) => void = () => {}): Promise<string> {
    const messages = [{ role: 'user' as const, content: PROMPT }];
    const request = { model: STORIES_NAME, messages, maxNewTokens: NEW_TOKENS, sampling: GREEDY };
    for await (const event of requester.chat(request)) {
      if (event.kind === 'token') onToken(event.index);
      if (event.kind === 'finished') return PROMPT + event.text;
    }
    throw new Error('the answer ended without its last event');
  }

  async function askUntil(holds: () => Promise<boolean>): Promise<void> {
    do expect(await ask()).toBe(reference);
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

  it('is the reference text by way of the coordinator', async () => {
    expect(await ask()).toBe(reference);
    expect(await sent()).toEqual([0, 0]);
  });

  it('is the same over WebRTC, which the popup shows', async () => {
    await inAll('watch.blocked = false');
    const popup = members[0]!.popup;
    const shown = popup.getByTestId('links').filter({ hasText: 'directly' }).waitFor({ timeout: 120_000 });
    // An answer begins over the relay, and the link is tried anew some time after it failed.
    await askUntil(async () => Math.min(...(await sent())) > NEW_TOKENS);
    await shown;
  });

  it('is the same when the link is cut in the middle of it, and goes on over another', async () => {
    const before = await sent();
    let cut: Promise<unknown> | undefined;
    const text = await ask((index) => {
      if (index === 60) cut = members[0]!.profile.evaluateOffscreen('watch.connections.at(-1).close()');
    });
    await cut;
    expect(text).toBe(reference);
    for (const [i, count] of (await sent()).entries())
      expect(count, 'it began directly').toBeGreaterThan(before[i]! + 30);
    await askUntil(async () => ((await inAll('watch.connections.length')) as number[]).every((count) => count > 1));
    for (const { profile } of members) expect(profile.problems).toEqual([]);
  });
});
