import { median } from '../median.ts';
import type { TrainingEngineName } from './types.ts';

export interface Spent {
  ms: number;
  /** Of all threads of the renderer: other programs make a step longer, but hardly this. */
  cpuMs: number;
}

/** Medians over the rounds. */
export interface Figures extends Spent {
  gflops: number;
  threads: number;
  /** Milliseconds of every round. */
  rounds: number[];
}

export function figuresOf(spent: readonly Spent[], { flops, threads }: { flops: number; threads: number }): Figures {
  const rounds = spent.map(({ ms }) => ms);
  const [ms, cpuMs] = [median(rounds), median(spent.map((one) => one.cpuMs))];
  return { ms, cpuMs, gflops: flops / ms / 1e6, threads, rounds };
}

/** How many times as fast as each peer we are. */
export function ratios(figures: ReadonlyMap<TrainingEngineName, Figures>): Partial<Record<TrainingEngineName, number>> {
  const ours = figures.get('ours');
  if (!ours) return {};
  const peers = [...figures].filter(([engine]) => engine !== 'ours');
  return Object.fromEntries(peers.map(([engine, { ms }]) => [engine, ms / ours.ms]));
}
