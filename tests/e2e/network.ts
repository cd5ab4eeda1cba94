/** A small network for tests and screenshots of the extension: a real coordinator and headless nodes on this machine. */

import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { campaignOf, foundCampaign } from '../../server/campaigns/testing.ts';
import { type Coordinator, startCoordinator } from '../../server/coordinator/coordinator.ts';
import { createHeadlessNode } from '../../server/node/headless.ts';
import type { AiloNode } from '../../shared/node/types.ts';
import { GREEDY } from '../../shared/sampler/types.ts';
import type { Campaign } from '../../shared/train/campaign/campaign.ts';

/** The trained model beside the project; it continues a text. */
export const STORIES = fileURLToPath(new URL('../../../shared/models/stories260k/', import.meta.url));
export const hasStories = existsSync(STORIES);
export const STORIES_NAME = 'stories260k';
/** The same weights with a chat template, so that the popup shows talk. */
export const CHAT_NAME = 'stories-chat';
const STORIES_STAGES = 4;
/** One node for the chat model, and all but one for the stories: the extension holds the part that is missing. */
const NODES = STORIES_STAGES;
const NODE_BUDGET_BYTES = 256 * 2 ** 20;

export interface Network {
  coordinator: Coordinator;
  nodes: AiloNode[];
  /** As soon as all its parts are loaded, a node asks the stories: whoever holds one earns. The whole greedy answer. */
  ask(text: string, maxNewTokens: number): Promise<string>;
  close(): Promise<void>;
}

/**
 * Two rooms: the chat model is complete, the stories wait for a fourth contributor. Of the `campaign` nothing is trained
 * before there are as many workers as it wants.
 */
export async function startNetwork({ campaign }: { campaign?: Partial<Campaign> } = {}): Promise<Network> {
  const folder = await mkdtemp(join(tmpdir(), 'ailo-network-'));
  const log = pino({ level: 'warn' }, pino.destination(2));
  const chatDir = join(folder, CHAT_NAME);
  await withChatTemplate(chatDir);
  if (campaign) await foundCampaign(join(folder, 'coordinator'), campaignOf(campaign));
  const coordinator = await startCoordinator({
    dataDir: join(folder, 'coordinator'),
    host: '127.0.0.1',
    port: 0,
    models: [
      { dir: chatDir, stages: 1 },
      { dir: STORIES, stages: STORIES_STAGES },
    ],
    log,
  });
  const nodes: AiloNode[] = [];
  for (let i = 0; i < NODES; i++) {
    const dataDir = join(folder, `node-${i}`);
    const node = await createHeadlessNode({
      url: coordinator.url,
      dataDir,
      budgetBytes: NODE_BUDGET_BYTES,
      threads: 1,
      log,
    });
    nodes.push(node);
    node.start();
    node.contribute(true);
    // The chat model comes first in the coordinator's order, so the first node is for it.
    if (i === 0) await until(node, ({ state }) => state.activity.kind === 'ready');
  }
  // Those that are too few for the stories stand by for the chat model meanwhile.
  await until(nodes.at(-1)!, ({ state }) => state.activity.kind === 'ready');
  return {
    coordinator,
    nodes,
    async ask(text, maxNewTokens) {
      await until(nodes[0]!, storiesReady);
      const request = { model: STORIES_NAME, messages: [{ role: 'user' as const, content: text }], maxNewTokens };
      for await (const event of nodes[0]!.chat({ ...request, sampling: GREEDY })) {
        if (event.kind === 'finished') return event.text;
      }
      throw new Error('the answer ended without its last event');
    },
    async close() {
      for (const node of nodes) await node.stop();
      await coordinator.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Resolves when `holds` does; a test's own timeout bounds it. */
function until(node: AiloNode, holds: (node: AiloNode) => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (!holds(node)) return;
      unsubscribe();
      resolve();
    };
    const unsubscribe = node.subscribe(look);
    look();
  });
}

function storiesReady({ state }: AiloNode): boolean {
  return state.models.some(({ id, ready, stages }) => id === STORIES_NAME && ready === stages);
}

async function withChatTemplate(dir: string): Promise<void> {
  await mkdir(dir);
  for (const name of await readdir(STORIES)) {
    if (/\.(json|safetensors)$/.test(name)) await copyFile(join(STORIES, name), join(dir, name));
  }
  const template = "{{ bos_token }}{% for message in messages %}{{ message.content }}{{ ' ' }}{% endfor %}";
  await writeFile(join(dir, 'chat_template.jinja'), template);
}
