/** A network in one process for tests: a real coordinator with one model, and nodes with real engines and real sockets. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import type { Socket } from 'socket.io-client';
import { expect, vi } from 'vitest';
import { dialWebSocket } from '../../shared/node/dial.ts';
import type { AiloNode, ChatEvent, NodeState } from '../../shared/node/types.ts';
import type { Sampling } from '../../shared/sampler/types.ts';
import { type CoordinatorOptions, startCoordinator } from '../coordinator/coordinator.ts';
import { createHeadlessNode, type HeadlessOptions } from './headless.ts';

/** The trained model beside the project. */
export const STORIES = 'stories260k';
export const storiesDir = fileURLToPath(new URL(`../../../shared/models/${STORIES}`, import.meta.url));
export const hasStories = existsSync(storiesDir);
if (!hasStories) console.warn(`skipped: there is no folder shared/models/${STORIES} beside the project`);

/** What is waited for takes long on a machine that is busy. */
export const WAIT = { timeout: 60_000, interval: 20 };

export type Network = Awaited<ReturnType<typeof createNetwork>>;
export type Member = Awaited<ReturnType<Network['addNode']>>;

/** In a folder of its own; everything ends with `close`. */
export async function createNetwork(model: Partial<CoordinatorOptions['models'][number]> & { stages: number }) {
  const folder = await mkdtemp(join(tmpdir(), 'ailo-nodes-'));
  const log = pino({ level: 'silent' });
  const coordinator = await startCoordinator({
    dataDir: join(folder, 'coordinator'),
    host: '127.0.0.1',
    port: 0,
    models: [{ dir: storiesDir, id: STORIES, ...model }],
    log,
  });
  /** By address. */
  const nodes = new Map<string, AiloNode>();

  async function addNode(name: string, options: Partial<HeadlessOptions> = {}) {
    const sockets: Socket[] = [];
    const states: NodeState[] = [];
    const dataDir = join(folder, name);
    const node = await createHeadlessNode({
      ...{ url: coordinator.url, dataDir, budgetBytes: 256 * 2 ** 20, threads: 1, log },
      dial(url) {
        const socket = dialWebSocket(url) as Socket;
        sockets.push(socket);
        return socket;
      },
      ...options,
    });
    nodes.set(node.state.address, node);
    node.subscribe((state) => states.push(state));
    node.start();
    await vi.waitFor(() => expect(node.state.connection).not.toBe('connecting'), WAIT);
    return { node, sockets, states, dataDir, cut: () => sockets.at(-1)!.io.engine.close() };
  }

  return {
    nodes,
    addNode,
    /** Until each holds a part. */
    async addContributors(count: number) {
      const added: Awaited<ReturnType<typeof addNode>>[] = [];
      for (let i = 0; i < count; i++) {
        const contributor = await addNode(`contributor-${i}`);
        contributor.node.contribute(true);
        added.push(contributor);
      }
      for (const { node } of added) await vi.waitFor(() => expect(node.state.activity.kind).toBe('ready'), WAIT);
      return added;
    },
    /** Until the requester knows so many parts to be held. */
    ready: ({ node }: { node: AiloNode }, parts = model.stages) =>
      vi.waitFor(() => expect(node.state.models).toMatchObject([{ ready: parts, stages: model.stages }]), WAIT),
    get: async (path: string) => (await fetch(new URL(path, coordinator.url))).json(),
    async close() {
      await Promise.all([...nodes.values()].map((node) => node.stop()));
      await coordinator.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export interface Question {
  model?: string;
  prompt: string;
  maxNewTokens: number;
  sampling: Sampling;
}

export function chat(
  { node }: { node: AiloNode },
  { model = STORIES, prompt, ...rest }: Question,
  signal?: AbortSignal,
): AsyncIterable<ChatEvent> {
  return node.chat({ model, messages: [{ role: 'user', content: prompt }], ...rest }, signal);
}

/** The whole answer. `onToken` is told of each token, and who took part when it began. */
export async function answer(
  requester: { node: AiloNode },
  question: Question,
  onToken: (index: number, participants: string[]) => void = () => {},
) {
  const events: ChatEvent[] = [];
  let participants: string[] = [];
  for await (const event of chat(requester, question)) {
    events.push(event);
    if (event.kind === 'accepted') ({ participants } = event);
    if (event.kind === 'token') onToken(event.index, participants);
  }
  const tokens = events.filter((event) => event.kind === 'token');
  return {
    accepted: events.find((event) => event.kind === 'accepted')!,
    tokens,
    ids: tokens.map(({ token }) => token),
    /** How long it stood still, each time that nodes were lost. */
    pausesMs: tokens.flatMap(({ pausedMs }) => (pausedMs === undefined ? [] : [pausedMs])),
    finished: events.find((event) => event.kind === 'finished')!,
  };
}
