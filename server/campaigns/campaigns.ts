/** All campaigns of a coordinator: opened from their journals, and given what nodes say. */
import { join } from 'node:path';
import type { Logger } from 'pino';
import { AiloError } from '../../shared/errors/index.ts';
import type { FromCoordinator, FromNode } from '../../shared/protocol/messages.ts';
import type { Schedule } from '../../shared/protocol/schedule.ts';
import type { CampaignMode } from '../../shared/train/campaign/modes.ts';
import type { TrainingResult } from '../ledger/types.ts';
import type { Database } from '../store/database.ts';
import { CampaignFolder } from './folder.ts';
import type { Answer } from './groups/answer.ts';
import { campaignsOf, createJournal } from './journal.ts';
import { createJudge } from './judge.ts';
import { LOOK_EVERY_MS } from './limits.ts';
import { createRunner, type Runner } from './runner.ts';

export interface CampaignsOptions {
  database: Database;
  /** SHA-256 of the genesis file, hex. */
  networkId: string;
  /** Of all campaigns; each has a folder in it. */
  folder: string;
  pay(result: TrainingResult): void;
  send<T extends keyof FromCoordinator>(node: string, type: T, body: FromCoordinator[T]): void;
  /** Unix time in ms. */
  wallClock(): number;
  schedule: Schedule;
  log: Logger;
}

export interface Campaigns {
  /** Throws CAMPAIGN_UNKNOWN. */
  of(id: string): Runner;
  list(): Runner[];
  /** A node wants to train, in a certain campaign or in any of its mode that there will be. Throws CAMPAIGN_UNKNOWN, CAMPAIGN_MODE. */
  train(node: string, body: FromNode['train']): void;
  /** A node answers in its group. Throws CAMPAIGN_UNKNOWN, GROUP_ANSWER_INVALID. */
  said(node: string, answer: Answer): void;
  /** A node trains no more, or is gone. */
  leave(node: string): void;
  close(): Promise<void>;
}

/** Where a coordinator with this data folder keeps its campaigns. */
export function campaignsFolder(dataDir: string): string {
  return join(dataDir, 'campaigns');
}

/** Throws CAMPAIGN_CORRUPT. */
export async function openCampaigns(options: CampaignsOptions): Promise<Campaigns> {
  const judge = createJudge();
  const runners = new Map<string, Runner>();
  /** Nodes that train in any campaign of a mode, while there is none. */
  const willing = new Map<string, CampaignMode>();
  let closed = false;
  let looking: Promise<void> = Promise.resolve();
  await look();
  let cancelLook = options.schedule(lookAgain, LOOK_EVERY_MS);

  /** Campaigns are created, and paused, by a command of their own. */
  async function look() {
    for (const id of await campaignsOf(options.database)) {
      if (!runners.has(id)) runners.set(id, await openRunner(id));
      const runner = runners.get(id)!;
      const paused = await runner.folder.isPaused();
      if (paused !== runner.state.paused) await runner.pause(paused);
    }
    for (const { state, left } of runners.values()) {
      if (state.phase !== 'finished') continue;
      for (const node of state.workers) {
        left(node);
        willing.set(node, state.campaign.data.mode);
      }
    }
    for (const [node, mode] of willing) joinAny(node, mode);
  }

  function lookAgain() {
    looking = look()
      .catch((err) => options.log.error({ err }, 'the campaigns could not be looked at'))
      .finally(() => {
        if (!closed) cancelLook = options.schedule(lookAgain, LOOK_EVERY_MS);
      });
  }

  async function openRunner(id: string): Promise<Runner> {
    const journal = createJournal(options.database, id);
    const state = await journal.replay();
    if (!state) throw AiloError.of('CAMPAIGN_UNKNOWN', { campaign: id });
    const runner = createRunner({
      ...options,
      state,
      journal,
      judge,
      folder: new CampaignFolder(join(options.folder, id)),
    });
    await runner.restarted();
    return runner;
  }

  function of(id: string): Runner {
    const runner = runners.get(id);
    if (!runner) throw AiloError.of('CAMPAIGN_UNKNOWN', { campaign: id });
    return runner;
  }

  /** Who trains in any campaign joins the first that goes on, or the next that begins. */
  function joinAny(node: string, mode: CampaignMode) {
    const running = [...runners.values()].find(
      ({ state }) => state.phase !== 'finished' && !state.paused && state.campaign.data.mode === mode,
    );
    if (!running) return void willing.set(node, mode);
    willing.delete(node);
    running.joined(node);
  }

  return {
    of,
    list: () => [...runners.values()],
    train(node, { campaign: id, mode: wished }) {
      const mode = wished ?? 'public';
      if (id === undefined) return joinAny(node, mode);
      const { state, joined } = of(id);
      const { mode: ofCampaign } = state.campaign.data;
      if (ofCampaign !== mode) throw AiloError.of('CAMPAIGN_MODE', { campaign: id, mode: ofCampaign });
      joined(node);
    },
    said: (node, answer) => of(answer.body.campaign).said(node, answer),
    leave(node) {
      willing.delete(node);
      for (const runner of runners.values()) runner.left(node);
    },
    async close() {
      closed = true;
      cancelLook();
      await looking;
      for (const runner of runners.values()) await runner.close();
      await judge.close();
    },
  };
}
