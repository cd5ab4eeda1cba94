/** What both ends of a link say that passed it. Pure. */
import { bytesToHex } from '@noble/hashes/utils.js';
import { rowsOf } from '../job.ts';
import { type Audit, isAccountable, sentFrom } from './audit.ts';
import { digestOf, digestOfTokens } from './rows.ts';

/** Stages whose word is needed to check `stages`: they and their neighbours. */
export function witnesses({ job, stages }: Pick<Audit, 'job' | 'stages'>): number[] {
  const around = stages.flatMap((stage) => [stage - 1, stage, stage + 1]);
  const isThere = (stage: number) => stage >= 0 && stage < job.stages.length && isAccountable(job, stage);
  return [...new Set(around)].filter(isThere).sort((a, b) => a - b);
}

/** Whether a stage says that it sent fewer rows than the answer has. */
export function isShort({ job, commitments }: Pick<Audit, 'job' | 'commitments'>, stage: number): boolean {
  const said = commitments.get(stage);
  return said !== undefined && stage < job.stages.length - 1 && said.rows < rowsOf(job);
}

/**
 * Stages that say they received something else than was sent to them: of the links at stages to be checked, as far as both
 * ends have said. What was sent to the first stage the coordinator knows.
 */
export function disputedLinks({ job, commitments }: Pick<Audit, 'job' | 'commitments'>): number[] {
  return [...job.stages.keys()].filter((stage) => {
    const received = commitments.get(stage)?.received;
    const sent = stage === 0 ? tokensDigest(job) : commitments.get(stage - 1)?.sent;
    return received !== undefined && sent !== undefined && received !== sent;
  });
}

/** Stages that have shown other rows than they said. */
export function brokenCommitments({ job, commitments, shown }: Pick<Audit, 'job' | 'commitments' | 'shown'>): number[] {
  return [...shown].flatMap(([stage, { rows }]) => {
    const said = commitments.get(stage)?.sent;
    return said !== undefined && said !== bytesToHex(digestOf(rows, sentFrom(job, stage))) ? [stage] : [];
  });
}

function tokensDigest(job: Audit['job']): string {
  const tokens = [...job.prompt, ...job.answer].slice(0, rowsOf(job));
  return bytesToHex(digestOfTokens(tokens, job.stages[0]!.from));
}
