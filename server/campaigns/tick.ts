/**
 * The rounds of a campaign as one pure state machine: waiting → training → validating → aggregating → the next round.
 * Training ends when all have sent their updates, when the grace after the quorum is over, or at the time limit; an
 * update that is late counts in a later round, for less.
 */
import { MAX_LOSSES, MAX_STALENESS } from '../../shared/train/campaign/limits.ts';
import { remember } from './diligence.ts';
import { formGroups } from './groups/form.ts';
import { isRunning } from './groups/group.ts';
import { begun, ended, heard, joined, resumed, settled, unitOf } from './groups/rounds.ts';
import type { Cohort } from './measure.ts';
import type { CampaignEffect, CampaignEvent, CampaignState, Unit } from './state.ts';
import { newUnit, unitId } from './units.ts';

export interface Ticked {
  state: CampaignState;
  effects: CampaignEffect[];
}

/** `nowMs` is Unix time, so that a journal means the same when it is read again. */
export function tick(state: CampaignState, event: CampaignEvent, nowMs: number): Ticked {
  const draft = new Draft(state, nowMs);
  draft.take(event);
  draft.settle();
  return { state: draft.state, effects: draft.effects };
}

export function created(event: CampaignEvent & { kind: 'created' }): CampaignState {
  const { campaign, weights } = event;
  return {
    ...{ campaign, weights, phase: 'waiting', paused: false, round: 0, attempt: 0 },
    ...{ workers: new Set(), groups: new Map(), units: new Map(), losses: [], diligence: new Map() },
  };
}

/** Whether an update for the unit is still taken: in time, or late by no more rounds than is allowed. */
export function isOpen({ round, phase }: CampaignState, unit: Unit): boolean {
  if (phase === 'finished' || round - unit.round > MAX_STALENESS) return false;
  return unit.status === 'assigned' || unit.status === 'expired';
}

/** Units of which the cohort of the running round is made. */
export function cohort({ units }: CampaignState): Unit[] {
  return [...units.values()].filter(({ status }) => status === 'submitted');
}

/** What a cohort is measured with: what was accepted before it, too. */
export function cohortOf({ round, attempt, units: all }: CampaignState, units: Unit[]): Cohort {
  const ids = new Set(units.map(({ id }) => id));
  const earlier = [...all.values()].filter(({ id, status }) => status === 'accepted' && !ids.has(id));
  return { round, attempt, units, earlier };
}

class Draft {
  state: CampaignState;
  readonly effects: CampaignEffect[] = [];
  readonly #nowMs: number;

  constructor(state: CampaignState, nowMs: number) {
    this.state = state;
    this.#nowMs = nowMs;
  }

  take(event: CampaignEvent): void {
    const { workers } = this.state;
    if (event.kind === 'joined') {
      this.#set({ workers: new Set(workers).add(event.wallet) });
      this.#assignTo(event.wallet);
      this.effects.push(...joined(this.state.groups, event.wallet));
    } else if (event.kind === 'left') {
      this.#set({ workers: new Set([...workers].filter((wallet) => wallet !== event.wallet)) });
      this.#giveUpOnAbsent();
    } else if (event.kind === 'submitted') {
      this.#submitted(event);
    } else if (event.kind === 'judged') {
      this.#judged(event.verdicts);
    } else if (event.kind === 'aggregated') {
      this.#aggregated(event);
    } else if (event.kind === 'said') {
      this.#set({ groups: heard(this.state.groups, event) });
    } else if (event.kind === 'summed' || event.kind === 'unsummed') {
      this.#ended(event);
    } else if (event.kind === 'paused') {
      this.#set({ paused: event.paused });
    } else if (event.kind === 'restarted') {
      this.#set({ workers: new Set() });
      this.#resume();
    }
  }

  /** Goes on as far as it can. */
  settle(): void {
    if (this.state.phase === 'training') {
      if (this.state.campaign.data.mode === 'local') this.#endGroups();
      else this.#endTraining();
    }
    const { phase, paused, workers, campaign } = this.state;
    if (phase === 'waiting' && !paused && workers.size >= campaign.minWorkers) this.#begin();
  }

  #begin(): void {
    const { campaign, workers, attempt } = this.state;
    this.#set({ phase: 'training', attempt: attempt + 1, endsMs: this.#nowMs + campaign.roundTimeoutMs });
    if (campaign.data.mode === 'local') {
      this.#move(begun(formGroups(this.state, campaign.data, this.#nowMs)));
      return;
    }
    // Not in the order they came: who gets which shard should not depend on a reconnection.
    for (const wallet of [...workers].sort()) this.#assignTo(wallet);
  }

  /** The unit that the wallet has in this round, again, or a new one. */
  #assignTo(wallet: string): void {
    const { state } = this;
    if (state.phase !== 'training' || state.campaign.data.mode === 'local') return;
    const known = state.units.get(unitId(state, wallet));
    const running = this.#ofRound();
    if (!known && (this.#quorate(running) || running.length >= state.campaign.maxWorkers)) return;
    const unit = known ?? newUnit(state, wallet, running.length, this.#nowMs);
    if (!known) this.#set({ units: new Map(state.units).set(unit.id, unit) });
    if (unit.status === 'assigned') this.effects.push({ kind: 'assign', unit });
  }

  #submitted({ unit: id, update }: CampaignEvent & { kind: 'submitted' }): void {
    const unit = this.state.units.get(id);
    if (unit && isOpen(this.state, unit)) this.#change(id, { status: 'submitted', update });
  }

  #endTraining(): void {
    const { campaign } = this.state;
    const running = this.#ofRound();
    const open = running.filter(({ status }) => status === 'assigned');
    if (open.length > 0 && this.#quorate(running)) this.#endWithin(campaign.graceMs);
    if (open.length > 0 && this.#nowMs < this.state.endsMs!) return;
    for (const { id } of open) this.#change(id, { status: 'expired' });
    if (cohort(this.state).length > 0) this.#validate();
    else this.#wait();
  }

  #ended(event: CampaignEvent & { kind: 'summed' | 'unsummed' }): void {
    const { groups, units, attempt } = this.state;
    const group = groups.get(event.unit);
    this.#move(ended(groups, event));
    if (event.kind === 'summed' && group?.stage === 'sum') {
      this.#set({ units: new Map(units).set(group.id, unitOf(group, attempt, event.update)) });
    }
  }

  #endGroups(): void {
    this.#move(settled(this.state, this.#nowMs));
    if ([...this.state.groups.values()].some(isRunning)) return;
    this.#set({ groups: new Map() });
    if (cohort(this.state).length > 0) this.#validate();
    else this.#wait();
  }

  #move({ groups, effects }: ReturnType<typeof settled>): void {
    if (groups !== this.state.groups) this.#set({ groups });
    this.effects.push(...effects);
  }

  /** Whether so many are in that the others are waited for no longer than the grace, and nobody begins any more. */
  #quorate(running: Unit[]): boolean {
    const submitted = running.filter(({ status }) => status !== 'assigned').length;
    return submitted > 0 && submitted >= Math.ceil((running.length * this.state.campaign.quorumPermille) / 1000);
  }

  /** Who has left may come back, within the grace. */
  #giveUpOnAbsent(): void {
    const { phase, workers, campaign } = this.state;
    if (campaign.data.mode === 'local') return;
    const open = this.#ofRound().filter(({ status }) => status === 'assigned');
    if (phase === 'training' && !open.some(({ wallet }) => workers.has(wallet))) this.#endWithin(campaign.graceMs);
  }

  #endWithin(ms: number): void {
    this.#set({ endsMs: Math.min(this.state.endsMs!, this.#nowMs + ms) });
  }

  #validate(): void {
    this.#set({ phase: 'validating' });
    this.effects.push({ kind: 'validate', units: cohort(this.state) });
  }

  #judged(verdicts: (CampaignEvent & { kind: 'judged' })['verdicts']): void {
    if (this.state.phase !== 'validating') return;
    const { round, losses } = this.state;
    const loss = verdicts.find(({ score }) => score)?.score?.lossBefore;
    if (loss !== undefined) this.#set({ losses: [...losses, { round, loss }].slice(-MAX_LOSSES) });
    const good = verdicts.filter(({ score }) => score !== undefined);
    const gain = ({ score }: (typeof good)[number]) => score!.lossBefore - score!.lossAfter;
    const ranking = good.toSorted((a, b) => gain(b) - gain(a) || (a.unit < b.unit ? -1 : 1));
    for (const { unit, score, reason, diligence } of verdicts) {
      const { wallet } = this.state.units.get(unit) ?? {};
      if (wallet !== undefined && diligence)
        this.#set({ diligence: remember(this.state.diligence, wallet, diligence) });
      if (score) {
        const rank = 1 + ranking.findIndex((ranked) => ranked.unit === unit);
        this.#change(unit, { status: 'accepted', score: { ...score, rank, ranked: ranking.length } });
      } else {
        this.#change(unit, { status: 'refused', reason: reason ?? 'it was not good enough' });
        this.effects.push({ kind: 'refuse', unit: this.state.units.get(unit)! });
      }
    }
    if (good.length > 0) this.#aggregate();
    else this.#wait();
  }

  #aggregate(): void {
    this.#set({ phase: 'aggregating' });
    const { round } = this.state;
    const units = this.#accepted().map((unit) => ({ unit, staleness: round - unit.round }));
    this.effects.push({ kind: 'aggregate', units });
  }

  #aggregated({ weights, delta }: CampaignEvent & { kind: 'aggregated' }): void {
    const { round, campaign, phase } = this.state;
    if (phase !== 'aggregating') return;
    const paid = this.#accepted();
    this.effects.push({ kind: 'publish', round, weights, delta });
    for (const unit of paid) this.effects.push({ kind: 'pay', unit });
    this.#set({ round: round + 1, weights });
    this.#forget();
    if (round + 1 >= campaign.rounds) this.#set({ phase: 'finished' });
    else this.#wait();
  }

  #wait(): void {
    this.#set({ phase: 'waiting' });
    const { endsMs: _, ...rest } = this.state;
    this.state = rest;
  }

  /** What the process that ended may not have done. */
  #resume(): void {
    const { phase, units, campaign } = this.state;
    // Nobody could send anything while there was no coordinator.
    if (phase === 'training') {
      this.#set({ endsMs: Math.max(this.state.endsMs!, this.#nowMs + campaign.graceMs) });
      this.#move(resumed(this.state, this.#nowMs));
    }
    if (phase === 'validating') this.#validate();
    if (phase === 'aggregating') this.#aggregate();
    const due = [...units.values()].filter(({ status, counted }) => status === 'accepted' && counted !== undefined);
    for (const unit of due) this.effects.push({ kind: 'pay', unit });
  }

  /** Of the round that is being joined. */
  #accepted(): Unit[] {
    return [...this.state.units.values()].filter(
      ({ status, counted }) => status === 'accepted' && counted === undefined,
    );
  }

  #ofRound(): Unit[] {
    const { units, attempt } = this.state;
    return [...units.values()].filter((unit) => unit.attempt === attempt);
  }

  /** Units too old to matter. */
  #forget(): void {
    const { round } = this.state;
    const units = [...this.state.units].map(([id, unit]): [string, Unit] => [
      id,
      unit.status === 'accepted' && unit.counted === undefined ? { ...unit, counted: round - 1 } : unit,
    ]);
    this.#set({ units: new Map(units.filter(([, unit]) => round - unit.round <= MAX_STALENESS)) });
  }

  #change(id: string, change: Partial<Unit>): void {
    const unit = this.state.units.get(id);
    if (unit) this.#set({ units: new Map(this.state.units).set(id, { ...unit, ...change }) });
  }

  #set(change: Partial<CampaignState>): void {
    this.state = { ...this.state, ...change };
  }
}
