/** Measures a peer over both ways while a job may use them, and notices when it has fallen silent. */
import type { Schedule } from '../../protocol/schedule.ts';
import { PING_EVERY_MS, PINGS_PER_RELAY_PING, STALL_MS } from './limits.ts';
import { type RoundTrips, smoothed } from './way.ts';

export interface PulseOptions {
  schedule: Schedule;
  /** Milliseconds of a steady clock. */
  now(): number;
  ping(way: 'direct' | 'relay', n: number): void;
  onMeasured(isFirst: boolean): void;
  onStalled(): void;
}

export interface Pulse {
  readonly roundTrips: RoundTrips;
  start(): void;
  stop(): void;
  /** The peer has said something directly. */
  heard(): void;
  /** It has answered a ping. */
  ponged(way: 'direct' | 'relay', n: number): void;
}

export function createPulse({ schedule, now, ping, onMeasured, onStalled }: PulseOptions): Pulse {
  let roundTrips: RoundTrips = {};
  let heardMs = now();
  let beats = 0;
  /** Pings that were not answered yet. */
  const waiting: { [way in 'direct' | 'relay']?: { n: number; sentMs: number } } = {};
  let cancel = () => {};

  function send(way: 'direct' | 'relay') {
    waiting[way] = { n: beats, sentMs: now() };
    ping(way, beats);
  }

  function beat() {
    cancel = () => {};
    if (now() - heardMs > STALL_MS) return onStalled();
    send('direct');
    if (beats % PINGS_PER_RELAY_PING === 0) send('relay');
    beats++;
    cancel = schedule(beat, PING_EVERY_MS);
  }

  return {
    get roundTrips() {
      return roundTrips;
    },
    start() {
      cancel();
      heardMs = now();
      beat();
    },
    stop: () => cancel(),
    heard() {
      heardMs = now();
    },
    ponged(way, n) {
      const sent = waiting[way];
      if (sent?.n !== n) return;
      delete waiting[way];
      const before = roundTrips[`${way}Ms`];
      roundTrips = { ...roundTrips, [`${way}Ms`]: smoothed(before, now() - sent.sentMs) };
      onMeasured(before === undefined);
    },
  };
}
