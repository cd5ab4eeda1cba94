/** Hands what the wallet signed to the coordinator. Asking again with the same bytes is safe, so a lost answer is asked for again. */
import { bytesToHex, concatBytes } from '@noble/hashes/utils.js';
import { AiloError } from '../errors/index.ts';
import type { Api } from '../protocol/api.ts';
import { paths, type Submission, SubmissionResponse } from '../protocol/http.ts';
import type { Schedule } from '../protocol/schedule.ts';
import { SUBMIT_ATTEMPTS, SUBMIT_RETRY_MS } from './limits.ts';

interface Signed {
  bytes: Uint8Array;
  signature: Uint8Array;
}

/** The place of the entry in the log. Throws the error of the rule it breaks; UNREACHABLE, LEDGER_BUSY, RATE_LIMITED after some tries. */
export type Submit = (kind: Submission['kind'], signed: Signed) => Promise<number>;

const NO_ANSWER = new Set(['UNREACHABLE', 'LEDGER_FAILED', 'LEDGER_BUSY', 'RATE_LIMITED']);

/** Whether nobody knows what became of a submission: an earlier attempt may have arrived. A broken rule is an answer. */
export function isUnanswered(error: unknown): boolean {
  return !(error instanceof AiloError) || NO_ANSWER.has(error.code);
}

export function createSubmit({ api, schedule }: { api: Api; schedule: Schedule }): Submit {
  return async (kind, { bytes, signature }) => {
    const submission: Submission = { kind, signed: bytesToHex(concatBytes(bytes, signature)) };
    for (let attempt = 1; ; attempt++) {
      try {
        return (await api.post(paths.submissions, submission, SubmissionResponse)).index;
      } catch (error) {
        if (!isUnanswered(error) || attempt >= SUBMIT_ATTEMPTS) throw error;
        await new Promise<void>((resolve) => schedule(resolve, SUBMIT_RETRY_MS * 2 ** (attempt - 1)));
      }
    }
  };
}
