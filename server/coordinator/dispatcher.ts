/**
 * Brings the pure machines (rooms.ts, jobs.ts) together with the world: messages in, messages out, rewards minted,
 * time passing. Events are handled one after the other, and what one of them causes comes after all it had to tell.
 */
import { randomBytes } from 'node:crypto';
import { bytesToHex } from '@noble/hashes/utils.js';
import type { Logger } from 'pino';
import { AiloError } from '../../shared/errors/index.ts';
import { wireOf } from '../../shared/graph/wire.ts';
import type { MessageOf } from '../../shared/protocol/channel.ts';
import type { FromNode, ModelListing } from '../../shared/protocol/messages.ts';
import type { Schedule } from '../../shared/protocol/schedule.ts';
import type { InferenceResult, Ledger } from '../ledger/types.ts';
import type { Gateway } from './gateway.ts';
import { type AuditContext, type AuditEffect, type AuditEvent, NO_AUDITS } from './honesty/audit.ts';
import { isOfCheck, step as stepAudits } from './honesty/audits.ts';
import { consequencesOf } from './honesty/consequences.ts';
import { isBanned } from './honesty/trust.ts';
import { memoryTrust, type TrustStore } from './honesty/trust-store.ts';
import { toleranceOf } from './honesty/verdict.ts';
import { hasVacancy, type Job, type JobEffect, type JobEvent, loads, NO_JOBS, type RoomView } from './job.ts';
import { assignmentsInUse, step as stepJobs } from './jobs.ts';
import {
  ANNOUNCE_AFTER_MS,
  CHECKPOINT_EVERY_MS,
  MAX_BUCKETS,
  OFFERS_PER_WALLET,
  REQUESTS_PER_WALLET,
  SIGNALS_PER_WALLET,
  STALL_BAN_MS,
  TAKEOVER_AFTER_MS,
  TICK_MS,
} from './limits.ts';
import { mayLink } from './neighbours.ts';
import { createPayments } from './payments.ts';
import type { Pool } from './pool.ts';
import { RateLimiter } from './rate-limit.ts';
import { listing, type RoomSpec } from './room.ts';
import { createPool, nextTickMs, type PoolEvent, step as stepPool } from './rooms.ts';
import type { SessionHandlers } from './sessions.ts';

export interface DispatcherOptions {
  specs: RoomSpec[];
  /** STUN servers that nodes are told of, for their direct links. */
  ice?: readonly string[];
  ledger: Pick<Ledger, 'account' | 'checkpoint' | 'mintInference' | 'subscribe'>;
  /** Milliseconds of a steady clock. */
  now(): number;
  /** Unix time. */
  wallClock(): number;
  /** In [0, 1), not to be foreseen: it decides who computes with whom. */
  random(): number;
  schedule: Schedule;
  log: Logger;
  /** What is known of wallets' honesty; without it everybody is new. */
  trust?: TrustStore;
}

export interface Dispatcher extends SessionHandlers {
  listings(): ModelListing[];
  /** Stops the clock; what is being paid is finished first. */
  close(): Promise<void>;
}

type Event =
  | { to: 'pool'; event: PoolEvent }
  | { to: 'jobs'; event: JobEvent }
  /** Stages of this model's jobs may have lost their holders; who holds them is looked up when it is this one's turn. */
  | { to: 'mend'; model: string }
  | { to: 'audits'; event: AuditEvent }
  /** As `mend`: answers of this model that are not to be relied on begin anew. */
  | { to: 'redo'; model: string; jobs: ReadonlySet<string>; nodes: ReadonlySet<string> };

const pool = (event: PoolEvent): Event => ({ to: 'pool', event });
const jobs = (event: JobEvent): Event => ({ to: 'jobs', event });
const audits = (event: AuditEvent): Event => ({ to: 'audits', event });

export function createDispatcher(options: DispatcherOptions, send: Gateway['send']): Dispatcher {
  const { ledger, log, now, schedule } = options;
  let poolState: Pool = createPool(options.specs);
  let jobState = NO_JOBS;
  let auditState = NO_AUDITS;
  const trust = options.trust ?? memoryTrust();
  let lastPoolMs = now();
  const present = new Set<string>();
  /** Ends the wait for nodes whose socket is gone to be taken for away. */
  const away = new Map<string, () => void>();
  const requests = new RateLimiter(REQUESTS_PER_WALLET, MAX_BUCKETS);
  const offers = new RateLimiter(OFFERS_PER_WALLET, MAX_BUCKETS);
  const signals = new RateLimiter(SIGNALS_PER_WALLET, MAX_BUCKETS);
  const ice = options.ice?.length ? { ice: [...options.ice] } : {};
  const payments = createPayments((result: InferenceResult) => ledger.mintInference(result), schedule, log);
  const waiting: Event[] = [];
  let dispatching = false;
  let refusal: AiloError | undefined;
  let announced = JSON.stringify(listings());
  let cancelAnnounce: (() => void) | undefined;
  let cancelCheckpoint: (() => void) | undefined;

  /** Returns the refusal of the message that caused the event, if it was one. */
  function dispatch(first: Event): AiloError | undefined {
    waiting.push(first);
    // A send may end a session that does not keep up, which is an event of its own.
    if (dispatching) return undefined;
    dispatching = true;
    refusal = undefined;
    try {
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        waiting.push(...handle(next));
      }
    } finally {
      dispatching = false;
      waiting.length = 0;
    }
    announceSoon();
    return refusal;
  }

  function handle(next: Event): Event[] {
    if (next.to === 'pool') return handlePool(next.event);
    if (next.to === 'jobs') return handleJobs(next.event);
    if (next.to === 'audits') return handleAudits(next.event);
    const room = viewOf(next.model);
    if (!room) return [];
    const { to: kind, ...about } = next;
    return handleJobs({ kind, ...about, room } as JobEvent);
  }

  function handlePool(event: PoolEvent): Event[] {
    lastPoolMs = now();
    const context = {
      nowMs: lastPoolMs,
      random: options.random,
      newId,
      inUse: assignmentsInUse(jobState),
    };
    const { pool: next, effects } = stepPool(poolState, event, context);
    poolState = next;
    const causes: Event[] = [];
    for (const effect of effects) {
      if (effect.kind === 'lost') causes.push(jobs({ kind: 'lost', assignment: effect.assignment }));
      else if (effect.type === 'assign') send(effect.to, 'assign', { ...effect.body, ...ice });
      else send(effect.to, effect.type, effect.body);
    }
    return [...causes, ...mending(() => true)];
  }

  /** Looks after jobs whose stages may have lost a holder, or got one. */
  function mending(isMeant: (job: Job) => boolean): Event[] {
    const models = new Set([...jobState.running.values()].filter(isMeant).map(({ model }) => model));
    return [...models].map((model) => ({ to: 'mend', model }));
  }

  function handleJobs(event: JobEvent): Event[] {
    const before = jobState;
    const { jobs: next, effects } = stepJobs(before, event, { nowMs: now(), newId, checks: true });
    jobState = next;
    const causes: Event[] = [];
    for (const effect of effects) {
      if (effect.kind === 'send') send(effect.to, effect.type, effect.body);
      else if (effect.kind === 'refuse') refusal = effect.error;
      else if (effect.kind === 'resumed') resumed(effect);
      else if (effect.kind === 'unreliable') causes.push(unreliable(effect));
      else if (effect.kind === 'misbehaved') causes.push(...misbehaved(effect));
      else if (effect.kind === 'answered') causes.push(audits({ kind: 'begin', job: effect.job }));
      else complete(resultOf(effect, options.wallClock()));
    }
    const ended = [...before.running.keys()].filter((id) => !next.running.has(id));
    if (auditState.running.size > 0 && ended.length > 0) causes.push(audits({ kind: 'drop', jobs: new Set(ended) }));
    // Stages that only these jobs still held, or a plan that waited for quiet.
    if (ended.length > 0) causes.push(pool({ kind: 'tick' }));
    return event.kind === 'jobFailed' ? [...causes, ...mending(hasVacancy)] : causes;
  }

  function handleAudits(event: AuditEvent): Event[] {
    const { audits: next, effects } = stepAudits(auditState, event, auditContext());
    auditState = next;
    const causes: Event[] = [];
    for (const effect of effects) {
      if (effect.kind === 'send') send(effect.to, effect.type, effect.body);
      else causes.push(...concluded(effect));
    }
    return causes;
  }

  function auditContext(): AuditContext {
    return {
      nowMs: now(),
      random: options.random,
      newId,
      trustOf: trust.of,
      loads: loads(jobState),
      roomOf(model) {
        const room = viewOf(model);
        return room && { room, tolerance: toleranceOf(poolState.rooms.get(model)!.spec.quant, room.wire) };
      },
    };
  }

  /** Whoever is not to be relied on is set aside first, so that what begins anew does so without. */
  function concluded({ job, outcome }: Omit<AuditEffect & { kind: 'concluded' }, 'kind'>): Event[] {
    const { changes, aside, redo } = consequencesOf(job, outcome, options.wallClock());
    for (const { node, change } of changes) trust.update(node, change);
    const banned = aside.filter((node) => isBanned(trust.of(node), options.wallClock()));
    if (aside.length > 0) log.warn({ job: job.id, model: job.model, ...outcome, banned }, 'an answer was not right');
    const unreliable = redo ? new Set([job.id]) : new Set<string>();
    return [
      ...aside.map((node) => pool({ kind: 'setAside', node, forGood: banned.includes(node) })),
      ...aside.map((node) => audits({ kind: 'gone', node })),
      ...(aside.length > 0 ? [...poolState.rooms.keys()] : []).map(
        (model): Event => ({ to: 'redo', model, jobs: unreliable, nodes: new Set(banned) }),
      ),
      ...(redo ? [] : [jobs({ kind: 'verified', job: job.id })]),
    ];
  }

  function unreliable({ job, node }: JobEffect & { kind: 'unreliable' }): Event {
    log.warn({ job: job.id, model: job.model, node }, 'a node is not asked for a while: answers do not go on with it');
    return pool({ kind: 'setAside', node, forGood: false, banMs: STALL_BAN_MS });
  }

  function misbehaved({ job, node }: JobEffect & { kind: 'misbehaved' }): Event[] {
    return concluded({ job, outcome: { passed: [], caught: [node], silent: [], disputed: [] } });
  }

  function resumed({ job, pausedMs }: JobEffect & { kind: 'resumed' }): void {
    const { id, model, epoch: replacements } = job;
    log.info({ job: id, model, replacements, pausedMs }, 'an inference goes on after nodes were lost');
  }

  function forgetAway(node: string): void {
    away.get(node)?.();
    away.delete(node);
  }

  function complete(result: InferenceResult): void {
    const { job, model, tokens, latencyMs } = result;
    log.info({ job, model, tokens, latencyMs }, 'an inference completed');
    payments.pay(result);
  }

  function listings(): ModelListing[] {
    return [...poolState.rooms.values()].map(listing);
  }

  function announceSoon(): void {
    cancelAnnounce ??= schedule(() => {
      cancelAnnounce = undefined;
      const models = listings();
      const text = JSON.stringify(models);
      if (text === announced) return;
      announced = text;
      log.info({ models: models.map(({ id, ready, stages }) => ({ id, ready, stages })) }, 'what is served changed');
      for (const node of present) send(node, 'models', { models });
    }, ANNOUNCE_AFTER_MS);
  }

  async function tellAccount(node: string): Promise<void> {
    try {
      send(node, 'account', await ledger.account(node));
    } catch (err) {
      log.error({ err }, 'an account could not be read');
    }
  }

  async function tellCheckpoint(nodes: Iterable<string>): Promise<void> {
    try {
      const { seal } = await ledger.checkpoint();
      const body = { bytes: bytesToHex(seal.bytes), signature: bytesToHex(seal.signature) };
      for (const node of nodes) send(node, 'checkpoint', body);
    } catch (err) {
      log.error({ err }, 'the checkpoint could not be read');
    }
  }

  function viewOf(model: string): RoomView | undefined {
    const room = poolState.rooms.get(model);
    if (!room) return undefined;
    const { contextLength, vocabSize, eosTokens, maxSequences, quant, speculate = false } = room.spec;
    const { wire = wireOf(quant) } = room.spec;
    return {
      contextLength,
      vocabSize,
      eosTokens,
      maxSequences,
      wire,
      drafts: speculate,
      plannedStages: listing(room).stages,
      stages: room.stages.map(({ range, holders }) => ({
        ...range,
        holders: holders.map(({ node, assignment, ready }) => {
          const { awaySinceMs, offer } = poolState.nodes.get(node) ?? {};
          const direct = offer?.direct && { direct: offer.direct };
          return { node, assignment, ready, ...direct, ...(awaySinceMs !== undefined && { awaySinceMs }) };
        }),
      })),
    };
  }

  function eventOf(from: string, message: MessageOf<FromNode>): Event {
    switch (message.type) {
      case 'offer':
        return pool({ kind: 'offer', node: from, offer: message.body });
      case 'withdraw':
        return pool({ kind: 'withdraw', node: from });
      case 'stageReady':
      case 'stageFailed':
        return pool({ kind: message.type, node: from, assignment: message.body.assignment });
      case 'commitment':
      case 'evidence':
      case 'checked':
        return audits({ kind: message.type, from, body: message.body } as AuditEvent);
      case 'more':
      case 'jobFailed':
        if (isOfCheck(auditState, message.body.job)) {
          return audits({ kind: message.type, from, body: message.body } as AuditEvent);
        }
        return jobs({ kind: message.type, from, body: message.body } as JobEvent);
      case 'generate':
        return jobs({ kind: 'generate', from, body: message.body, room: viewOf(message.body.model) });
      default:
        return jobs({ kind: message.type, from, body: message.body } as JobEvent);
    }
  }

  /** Those that cross the end of what made both neighbours are dropped. */
  function passSignal(from: string, { to, signal }: FromNode['signal']): void {
    if (mayLink(poolState, jobState, from, to)) send(to, 'signal', { from, signal });
  }

  /** True when the message is over its wallet's rate, which the node has been told. */
  function isTooMuch(node: string, message: MessageOf<FromNode>): boolean {
    const { type } = message;
    const rules: Partial<Record<typeof type, RateLimiter>> = { generate: requests, offer: offers, signal: signals };
    const retryAfterMs = rules[type]?.take(node, now()) ?? 0;
    if (retryAfterMs === 0) return false;
    const error = AiloError.of('RATE_LIMITED', { retryAfterMs }).toWire();
    if (type === 'generate') send(node, 'failed', { request: message.body.request, error });
    else send(node, 'refused', { about: type, error });
    return true;
  }

  /** Throws NODE_BANNED, which the node is told. */
  function refuseBanned(node: string): void {
    const { bannedUntilMs: untilMs } = trust.of(node);
    if (isBanned(trust.of(node), options.wallClock())) throw AiloError.of('NODE_BANNED', { untilMs });
  }

  const unsubscribe = ledger.subscribe((addresses) => {
    for (const address of addresses) if (present.has(address)) void tellAccount(address);
    cancelCheckpoint ??= schedule(() => {
      cancelCheckpoint = undefined;
      void tellCheckpoint(present);
    }, CHECKPOINT_EVERY_MS);
  });

  let cancelTick = schedule(tick, TICK_MS);
  function tick(): void {
    cancelTick = schedule(tick, TICK_MS);
    if (jobState.running.size > 0) dispatch(jobs({ kind: 'tick' }));
    if (auditState.running.size > 0) dispatch(audits({ kind: 'tick' }));
    if (nextTickMs(poolState, lastPoolMs) <= now()) dispatch(pool({ kind: 'tick' }));
  }

  return {
    listings,
    opened(node) {
      log.info({ node }, 'a session began');
      present.add(node);
      send(node, 'models', { models: listings() });
      void tellAccount(node);
      void tellCheckpoint([node]);
    },
    dropped(node) {
      forgetAway(node);
      const sinceMs = now();
      const takeOver = () => dispatch(pool({ kind: 'away', node, sinceMs }));
      away.set(node, schedule(takeOver, TAKEOVER_AFTER_MS));
    },
    resumed(node) {
      forgetAway(node);
      if (poolState.nodes.get(node)?.awaySinceMs !== undefined) dispatch(pool({ kind: 'back', node }));
    },
    closed(node) {
      log.info({ node }, 'a session is over');
      present.delete(node);
      forgetAway(node);
      dispatch(pool({ kind: 'gone', node }));
      dispatch(jobs({ kind: 'gone', node }));
      dispatch(audits({ kind: 'gone', node }));
    },
    message(node, message) {
      if (message.type === 'stageFailed')
        log.warn({ node, error: message.body.error }, 'a node could not load its stage');
      if (isTooMuch(node, message)) return;
      if (message.type === 'signal') return passSignal(node, message.body);
      if (message.type === 'offer') refuseBanned(node);
      const refused = dispatch(eventOf(node, message));
      if (refused) throw refused;
    },
    async close() {
      unsubscribe();
      cancelTick();
      for (const cancel of away.values()) cancel();
      cancelAnnounce?.();
      cancelCheckpoint?.();
      await payments.settled();
      await trust.stored();
    },
  };
}

function newId(): string {
  return randomBytes(16).toString('hex');
}

function resultOf({ job, reason, latencyMs }: JobEffect & { kind: 'completed' }, timeMs: number): InferenceResult {
  return {
    job: job.id,
    model: job.model,
    requester: job.requester,
    participants: job.stages.map(({ node, start, end }) => ({ address: node, start, end })),
    tokens: job.answer.length,
    latencyMs,
    finish: reason,
    timeMs,
  };
}
