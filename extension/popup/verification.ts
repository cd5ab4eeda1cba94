/** What the wallet says about how far this browser has verified the ledger. */
import type { LedgerView } from '../state.ts';
import { ago, when } from '../ui/format.ts';

export interface Verification {
  /** `contradicted` has a notice of its own beside it. */
  tone: 'busy' | 'verified' | 'stale' | 'contradicted';
  sentence: string;
  /** 0–1, while verifying. */
  progress?: number;
}

/** Without a connection the popup says why already. */
export function verificationOf(ledger: LedgerView | undefined, isConnected: boolean, nowMs: number): Verification {
  if (!ledger) return { tone: 'busy', sentence: 'Nothing is verified by this browser yet' };
  const { status, size, target, verifiedMs, error } = ledger;
  if (status === 'contradicted') return { tone: 'contradicted', sentence: `Verified only up to block ${figure(size)}` };
  if (error || !isConnected) {
    const since = sinceSentence(size, verifiedMs, nowMs);
    return { tone: 'stale', sentence: error && isConnected ? `${error.message} ${since}` : since };
  }
  if (status === 'starting') return { tone: 'busy', sentence: 'Reading what this browser has verified before…' };
  if (status === 'verifying') {
    const progress = target > 0 ? Math.min(size / target, 1) : 0;
    const percent = Math.floor(progress * 100);
    return {
      tone: 'busy',
      sentence: `Verifying the ledger: ${figure(size)} of ${figure(target)} (${percent} %)`,
      progress,
    };
  }
  if (size === 0) return { tone: 'verified', sentence: 'Verified by this browser: nothing stands in the ledger yet' };
  const age = verifiedMs === undefined ? '' : `, ${ago(nowMs - verifiedMs)}`;
  return { tone: 'verified', sentence: `Verified by this browser: block ${figure(size)}${age}` };
}

function sinceSentence(size: number, verifiedMs: number | undefined, nowMs: number): string {
  if (verifiedMs === undefined) return 'Nothing is verified by this browser yet.';
  return `What you see was verified at ${when(verifiedMs, nowMs)} (block ${figure(size)}).`;
}

const FOUND: Record<NonNullable<LedgerView['evidence']>['kind'], string> = {
  fork: 'The network signed two different ledgers of the same length.',
  rewrite: 'The network changed what this browser had already verified.',
  rule: 'The network signed something that breaks its own rules.',
  state: 'The network signed balances that do not follow from its own ledger.',
};

export interface Contradiction {
  /** What was found, and by which rule. */
  found: string;
  reason: string;
  noticed: string;
  /** What it means for the person. */
  meaning: string;
}

export function contradictionOf(ledger: LedgerView | undefined, nowMs: number): Contradiction | undefined {
  if (!ledger?.evidence) return undefined;
  const { kind, reason, noticedMs } = ledger.evidence;
  return {
    found: FOUND[kind],
    reason: reason.message,
    noticed: when(noticedMs, nowMs),
    meaning:
      `Nothing after block ${figure(ledger.size)} is believed here. Your keys are safe, and the proof is kept on this ` +
      'device. Please send nothing and take no payment as final until the people who run the network have explained it.',
  };
}

/** A place in the ledger, or how many there are. */
function figure(n: number): string {
  return n.toLocaleString('en');
}
