/** What a campaign's runner does about its groups: carries their messages, keeps what members send, adds it up. */
import type { Logger } from 'pino';
import { sha256Hex } from '../../../shared/bytes/sha256.ts';
import { AiloError } from '../../../shared/errors/index.ts';
import type { FromCoordinator } from '../../../shared/protocol/messages.ts';
import type { Campaign } from '../../../shared/train/campaign/campaign.ts';
import { writeDurably } from '../../write-durably.ts';
import type { CampaignFolder } from '../folder.ts';
import type { CampaignEvent, CampaignState } from '../state.ts';
import { type Answer, sayingOf, stageOf } from './answer.ts';
import { type Group, isRunning, wants } from './group.ts';
import { type Question, questionOf } from './question.ts';
import { maskedBytes, sumGroup } from './sum.ts';

export interface GroupHostOptions {
  campaign: Campaign;
  folder: CampaignFolder;
  /** SHA-256 of the genesis file, hex. */
  networkId: string;
  groups(): CampaignState['groups'];
  /** Resolves when the event is in the journal and taken. */
  feed(event: CampaignEvent): Promise<void>;
  send<T extends Question['type']>(node: string, type: T, body: FromCoordinator[T]): void;
  /** Unix time in ms. */
  wallClock(): number;
  log: Logger;
}

export interface GroupHost {
  ask(group: Group, wallets: readonly string[]): void;
  /** Takes long. */
  sum(group: Group): Promise<CampaignEvent>;
  /** Deletes what members sent to groups that are over. */
  tidy(): void;
  /** A member answers. Throws GROUP_ANSWER_INVALID; what is not wanted (any more) is not heard. */
  said(wallet: string, answer: Answer): void;
  /** A member's update under masks, durably. Throws UNIT_UNKNOWN, UNIT_CLOSED, UNIT_CONFLICT, UPDATE_INVALID. */
  submit(group: Group, wallet: string, bytes: Uint8Array): Promise<void>;
}

export function createGroupHost(options: GroupHostOptions): GroupHost {
  const { campaign, folder, networkId, groups, feed, send, wallClock, log } = options;
  return {
    ask(group, wallets) {
      for (const wallet of wallets) {
        const question = questionOf(campaign.id, group, wallet);
        if (question) send(wallet, question.type, question.body);
      }
    },
    async sum(group) {
      if (campaign.data.mode !== 'local') throw new RangeError('only groups of local texts are summed');
      try {
        return { kind: 'summed', unit: group.id, update: await sumGroup(folder, campaign, campaign.data, group) };
      } catch (error) {
        if (!(error instanceof AiloError)) throw error;
        return { kind: 'unsummed', unit: group.id, reason: error.message };
      }
    },
    tidy() {
      const running = [...groups().values()].filter(isRunning).map(({ id }) => id);
      void folder.tidyMasked(new Set(running)).catch((err) => log.warn({ err }, 'old files are left'));
    },
    said(wallet, answer) {
      const group = groups().get(answer.body.unit);
      if (!group?.members.includes(wallet) || !wants(group, wallet, stageOf(answer))) return;
      const saying = sayingOf(networkId, group, wallet, answer);
      void feed({ kind: 'said', unit: group.id, wallet, saying });
    },
    async submit(group, wallet, bytes) {
      if (!group.members.includes(wallet)) throw AiloError.of('UNIT_UNKNOWN', {});
      const hash = await sha256Hex(bytes);
      const known = group.updates[wallet]?.hash;
      if (known === hash) return;
      if (known !== undefined) throw AiloError.of('UNIT_CONFLICT', {});
      if (!wants(group, wallet, 'updates')) {
        throw AiloError.of('UNIT_CLOSED', { reason: 'its group goes on without it' });
      }
      if (bytes.length !== maskedBytes(campaign, group.round)) {
        throw AiloError.of('UPDATE_INVALID', { reason: 'it has another length' });
      }
      await writeDurably(folder.masked(group.id, wallet), bytes);
      const saying = { stage: 'updates' as const, answer: { hash, arrivedMs: wallClock() } };
      await feed({ kind: 'said', unit: group.id, wallet, saying });
    },
  };
}
