/** What a simulation and its processes of node programs say to each other. */
import type { LinkOptions } from './delay.ts';

export interface StartPrograms {
  url: string;
  chunksDir: string;
  count: number;
  link: LinkOptions;
  /** Each program has a seed of its own, from this one on. */
  firstSeed: number;
}

export type ToProcess =
  | ({ kind: 'start' } & StartPrograms)
  /** Ends one program as a kill would. */
  | { kind: 'end'; address: string }
  | { kind: 'usage' };

export type FromProcess =
  | { kind: 'started'; addresses: string[] }
  /** The program has its part in memory. */
  | { kind: 'loaded'; address: string }
  | ({ kind: 'usage' } & Usage);

/** Of a process since it began. */
export interface Usage {
  cpuMs: number;
  rssBytes: number;
}

export function usageNow(): Usage {
  const { user, system } = process.cpuUsage();
  return { cpuMs: (user + system) / 1000, rssBytes: process.memoryUsage.rss() };
}
