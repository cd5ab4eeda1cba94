/**
 * One campaign at work: an event is written to the journal, then taken; what it asks for is done beside that, and what
 * comes of it is an event again.
 */
import type { Logger } from 'pino';
import { sha256Hex } from '../../shared/bytes/sha256.ts';
import { AiloError } from '../../shared/errors/index.ts';
import type { FromCoordinator } from '../../shared/protocol/messages.ts';
import type { Schedule } from '../../shared/protocol/schedule.ts';
import type { TrainingResult } from '../ledger/types.ts';
import { writeDurably } from '../write-durably.ts';
import type { CampaignFolder } from './folder.ts';
import { createGroupHost, type GroupHost } from './groups/host.ts';
import type { Question } from './groups/question.ts';
import { joinRound } from './join.ts';
import type { Journal } from './journal.ts';
import type { Judge } from './judge.ts';
import { CAMPAIGN_TICK_MS } from './limits.ts';
import { receiptsOf } from './receipt.ts';
import type { CampaignEffect, CampaignEvent, CampaignState, Unit } from './state.ts';
import { cohortOf, isOpen, tick } from './tick.ts';
import { examine, maxUpdateBytes } from './upload.ts';
import { verdictsOf } from './verdicts.ts';

type TrainingMessage = 'unit' | 'unitRefused' | 'round' | Question['type'];

export interface RunnerOptions {
  state: CampaignState;
  journal: Pick<Journal, 'append'>;
  folder: CampaignFolder;
  judge: Judge;
  /** SHA-256 of the genesis file, hex. */
  networkId: string;
  pay(result: TrainingResult): void;
  send<T extends TrainingMessage>(node: string, type: T, body: FromCoordinator[T]): void;
  /** Unix time in ms. */
  wallClock(): number;
  schedule: Schedule;
  log: Logger;
}

export interface Runner {
  readonly state: CampaignState;
  readonly folder: CampaignFolder;
  readonly maxUpdateBytes: number;
  /** To be called once, for a state that came from a journal. */
  restarted(): Promise<void>;
  joined(wallet: string): void;
  left(wallet: string): void;
  pause(paused: boolean): Promise<void>;
  /**
   * Takes a wallet's update of its unit, durably. The same update again is fine. Throws UNIT_UNKNOWN, UNIT_CLOSED,
   * UNIT_CONFLICT, UPDATE_INVALID. Of a group's unit, each member has an update, which is under masks.
   */
  submit(wallet: string, unit: string, bytes: Uint8Array): Promise<void>;
  said: GroupHost['said'];
  /** Takes nothing more, and waits for what is under way. */
  close(): Promise<void>;
}

export function createRunner(options: RunnerOptions): Runner {
  const { journal, folder, judge, send, wallClock, schedule } = options;
  let { state } = options;
  const { campaign } = state;
  const log = options.log.child({ campaign: campaign.id });
  let closed = false;
  /** Events, one after the other. Never rejects. */
  let work: Promise<void> = Promise.resolve();
  /** Validating and joining, which take long. Never rejects. */
  let task: Promise<void> = Promise.resolve();
  let cancelTick = schedule(onTick, CAMPAIGN_TICK_MS);
  const groups = createGroupHost({ ...options, campaign, groups: () => state.groups, feed, log });

  /** Resolves when the event is in the journal and taken; rejects if it could not be written. */
  function feed(event: CampaignEvent): Promise<void> {
    const taken = work.then(async () => {
      const nowMs = wallClock();
      const next = tick(state, event, nowMs);
      // That time has passed is worth a line only where it changes something.
      if (next.state === state && event.kind === 'tick') return;
      await journal.append(event, nowMs);
      state = next.state;
      for (const effect of next.effects) perform(effect);
    });
    work = taken.catch((err) => log.error({ err, event: event.kind }, 'the journal could not be written'));
    return taken;
  }

  function onTick() {
    if (closed) return;
    void feed({ kind: 'tick' }).finally(() => {
      if (!closed) cancelTick = schedule(onTick, CAMPAIGN_TICK_MS);
    });
  }

  function perform(effect: CampaignEffect) {
    switch (effect.kind) {
      case 'assign':
        return send(effect.unit.wallet, 'unit', assignment(effect.unit));
      case 'refuse':
        return refuse(effect.unit.id, walletsOf(effect.unit), effect.unit.reason ?? '');
      case 'validate':
        return begin(() => validate(effect.units));
      case 'aggregate':
        return begin(() => aggregate(effect.units));
      case 'publish':
        return publish(effect);
      case 'pay':
        return receiptsOf(campaign, effect.unit).forEach(options.pay);
      case 'ask':
        return groups.ask(effect.group, effect.wallets);
      case 'exclude':
        return refuse(effect.group.id, effect.wallets, 'it came too late for the sum of its group');
      case 'sum':
        return begin(() => groups.sum(effect.group));
      case 'disband':
        if (effect.wallets.length > 0) refuse(effect.group.id, effect.wallets, effect.reason);
        return groups.tidy();
    }
  }

  function begin(step: () => Promise<CampaignEvent>) {
    task = task.then(async () => {
      if (closed) return;
      try {
        await feed(await step());
      } catch (err) {
        // The journal says where it stood: a restart begins this step anew.
        log.error({ err }, 'a round could not go on');
      }
    });
  }

  async function validate(units: Unit[]): Promise<CampaignEvent> {
    const measured = await judge.measure(folder, campaign, cohortOf(state, units));
    const verdicts = verdictsOf(measured, state.diligence);
    log.info({ round: state.round, measured, verdicts }, 'a cohort was judged');
    return { kind: 'judged', verdicts };
  }

  async function aggregate(units: (CampaignEffect & { kind: 'aggregate' })['units']): Promise<CampaignEvent> {
    const { round, weights: start } = state;
    const joined = await joinRound(folder, campaign, { round, start }, units);
    return { kind: 'aggregated', ...joined };
  }

  function refuse(unit: string, wallets: readonly string[], reason: string) {
    log.info({ unit, wallets, reason }, 'an update was refused');
    const error = AiloError.of('UPDATE_INVALID', { reason }).toWire();
    for (const wallet of wallets) send(wallet, 'unitRefused', { campaign: campaign.id, unit, error });
  }

  function publish({ round, weights, delta }: CampaignEffect & { kind: 'publish' }) {
    log.info({ round, weights }, 'a round is published');
    for (const wallet of state.workers) send(wallet, 'round', { campaign: campaign.id, round, weights, delta });
    void folder.tidy(state.round, new Set(state.units.keys())).catch((err) => log.warn({ err }, 'old files are left'));
  }

  function assignment({ id, round, start, shard, seed }: Unit): FromCoordinator['unit'] {
    return { campaign: campaign.id, unit: id, round, start, shard, seed };
  }

  return {
    folder,
    maxUpdateBytes: maxUpdateBytes(campaign),
    get state() {
      return state;
    },
    restarted: () => feed({ kind: 'restarted' }),
    said: groups.said,
    joined: (wallet) => void feed({ kind: 'joined', wallet }),
    left: (wallet) => void (state.workers.has(wallet) && feed({ kind: 'left', wallet })),
    pause: (paused) => feed({ kind: 'paused', paused }),
    async submit(wallet, id, bytes) {
      const group = state.groups.get(id);
      if (group) return groups.submit(group, wallet, bytes);
      const unit = state.units.get(id);
      if (unit?.wallet !== wallet) throw AiloError.of('UNIT_UNKNOWN', {});
      const hash = await sha256Hex(bytes);
      if (unit.update) {
        if (unit.update.hash === hash) return;
        throw AiloError.of('UNIT_CONFLICT', {});
      }
      if (!isOpen(state, unit)) throw AiloError.of('UNIT_CLOSED', { reason: 'its round is long over' });
      const examined = await examine(campaign, unit, bytes);
      await writeDurably(folder.update(id), bytes);
      const update = { hash, bytes: bytes.length, ...examined, arrivedMs: wallClock() };
      await feed({ kind: 'submitted', unit: id, update });
    },
    async close() {
      closed = true;
      cancelTick();
      await task;
      await work;
    },
  };
}

function walletsOf({ wallet, members }: Unit): string[] {
  return members ? members.map((member) => member.wallet) : [wallet];
}
