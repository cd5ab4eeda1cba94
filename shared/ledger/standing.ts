/** Where a transfer stands, as people are told it. */
import type { Genesis } from './genesis.ts';
import type { Transfer } from './records.ts';

export type Standing = 'pending' | 'confirmed' | 'reported' | 'disputed' | 'reversed';

/** Reports that were too few count for nothing once no more can come. `nowMs` is the sequencer's time, or the reader's. */
export function standing(
  genesis: Genesis,
  { confirmed, trouble, timeMs }: Pick<Transfer, 'confirmed' | 'trouble' | 'timeMs'>,
  nowMs: number,
): Standing {
  const isReportable = nowMs <= timeMs + genesis.transfer.reportWindowMs;
  if (trouble === 'none' || (trouble === 'reported' && !isReportable)) return confirmed ? 'confirmed' : 'pending';
  return trouble;
}

/** Reports, of so many active nodes, that make a transfer disputed. */
export function reportsNeeded(genesis: Genesis, activeNodes: number): number {
  return Math.ceil((genesis.transfer.reportPermille * activeNodes) / 1000);
}
