/** A campaign of local texts with real nodes, and an ear at everything they send. */
import { join } from 'node:path';
import { pino } from 'pino';
import { type Dial, dialWebSocket } from '../../../shared/node/dial.ts';
import type { LocalTexts } from '../../../shared/node/local-texts.ts';
import { type Campaign, modelOf } from '../../../shared/train/campaign/campaign.ts';
import { characterTokenizer } from '../../../shared/train/characters.ts';
import { initialiser } from '../../../shared/train/initialise.ts';
import { parametersOf } from '../../../shared/train/model/model.ts';
import { memoryStore } from '../../../shared/train/store.ts';
import { createHeadlessNode, type HeadlessNode } from '../../node/headless.ts';
import { openDatabase } from '../../store/database.ts';
import { campaignsFolder } from '../campaigns.ts';
import { createCampaign } from '../create.ts';
import { campaignOf, textOf } from '../testing.ts';

/** In the order of their tokens. */
export const ALPHABET = ' !,.?ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
export const log = pino({ level: process.env.AILO_LOG ?? 'silent' });
/** Nobody writes this by chance. */
export const CANARY = 'My neighbour Quetzalinde keeps the spare key under Hrothgar.';

/** A text in which each letter follows from the one before, but for noise. */
export function lettersOf(length: number): string {
  return [...textOf(length, ALPHABET.length)].map((at) => ALPHABET[at]).join('');
}

export function textsFrom(text: string): LocalTexts & { rounds: number[] } {
  const rounds: number[] = [];
  return {
    rounds,
    read: async () => [text],
    roundsOf: async () => rounds.length,
    note: async (_, round) => void rounds.push(round),
  };
}

export async function foundLocalCampaign(dataDir: string, change: Partial<Campaign>): Promise<Campaign> {
  const settings = campaignOf({ aggregator: 'mean', uplinkKeep: 2048, ...change });
  const { format: _, model: __, data: local, ...rest } = settings;
  if (local.mode !== 'local') throw new RangeError('this is for local texts');
  const { json } = characterTokenizer(ALPHABET);
  const config = modelOf(settings);
  const database = await openDatabase(join(dataDir, 'ailo.sqlite'));
  await createCampaign({
    ...{ database, folder: campaignsFolder(dataDir), nowMs: Date.now(), settings: { ...rest, local } },
    opened: {
      config,
      corpus: textOf(4000, ALPHABET.length),
      weights: memoryStore(parametersOf(config), initialiser(settings.seed)),
      files: { 'tokenizer.json': new TextEncoder().encode(JSON.stringify(json)) },
    },
  });
  await database.destroy();
  return settings;
}

export interface LocalNode {
  node: HeadlessNode;
  texts: ReturnType<typeof textsFrom>;
  /** Everything that it said on its socket, as JSON. */
  said: string[];
}

export async function localNode(url: string, dataDir: string, text: string): Promise<LocalNode> {
  const said: string[] = [];
  const dial: Dial = (to) => {
    const socket = dialWebSocket(to);
    return {
      on: (event, listener) => socket.on(event, listener),
      emit(event, ...args) {
        said.push(JSON.stringify([event, ...args]));
        return socket.emit(event, ...args);
      },
      disconnect: () => socket.disconnect(),
    };
  };
  const texts = textsFrom(text);
  const node = await createHeadlessNode({ url, dataDir, budgetBytes: 2 ** 28, threads: 1, log, dial, texts });
  return { node, texts, said };
}

export const until = async (met: () => boolean | Promise<boolean>) => {
  for (let tries = 0; tries < 900; tries++) {
    if (await met()) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('it did not come to that in ninety seconds');
};
