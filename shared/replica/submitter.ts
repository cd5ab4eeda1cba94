/** Hands what the wallet signed to the coordinator. Asking again with the same bytes is safe, so a lost answer is asked for again. */
import { bytesToHex, concatBytes } from '@noble/hashes/utils.js';
import * as v from 'valibot';
import { AiloError } from '../errors/index.ts';
import { paths, type Submission, SubmissionResponse } from '../protocol/http.ts';
import { WireErrorSchema } from '../protocol/messages.ts';
import type { Schedule } from '../protocol/schedule.ts';
import { readBody } from './body.ts';
import { MAX_JSON_BYTES, SUBMIT_ATTEMPTS, SUBMIT_RETRY_MS, SUBMIT_TIMEOUT_MS } from './limits.ts';

interface Signed {
  bytes: Uint8Array;
  signature: Uint8Array;
}

export interface SubmitOptions {
  /** Of the coordinator. */
  url: string;
  fetch: typeof fetch;
  schedule: Schedule;
}

/** The place of the entry in the log. Throws the error of the rule it breaks; what `isUnanswered` holds for after some tries. */
export type Submit = (kind: Submission['kind'], signed: Signed) => Promise<number>;

const NO_ANSWER = new Set(['UNREACHABLE', 'LEDGER_FAILED', 'LEDGER_BUSY', 'RATE_LIMITED']);

/** Whether nobody knows what became of a submission: an earlier attempt may have arrived. A broken rule is an answer. */
export function isUnanswered(error: unknown): boolean {
  return !(error instanceof AiloError) || NO_ANSWER.has(error.code);
}

export function createSubmit(options: SubmitOptions): Submit {
  return async (kind, { bytes, signature }) => {
    const submission: Submission = { kind, signed: bytesToHex(concatBytes(bytes, signature)) };
    for (let attempt = 1; ; attempt++) {
      try {
        return await post(submission, options);
      } catch (error) {
        if (!isUnanswered(error) || attempt >= SUBMIT_ATTEMPTS) throw error;
        await new Promise<void>((resolve) => options.schedule(resolve, SUBMIT_RETRY_MS * 2 ** (attempt - 1)));
      }
    }
  };
}

async function post(submission: Submission, { url, fetch }: SubmitOptions): Promise<number> {
  const unreachable = (cause: unknown) => AiloError.of('UNREACHABLE', { url }, cause);
  let ok: boolean;
  let answer: unknown;
  try {
    const response = await fetch(new URL(paths.submissions, url).href, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(submission),
      signal: AbortSignal.timeout(SUBMIT_TIMEOUT_MS),
    });
    ok = response.ok;
    const body = await readBody(response, MAX_JSON_BYTES);
    answer = JSON.parse(new TextDecoder().decode(body));
  } catch (cause) {
    throw unreachable(cause);
  }
  const accepted = v.safeParse(SubmissionResponse, answer);
  if (ok && accepted.success) return accepted.output.index;
  const refusal = v.safeParse(WireErrorSchema, answer);
  throw !ok && refusal.success ? AiloError.fromWire(refusal.output) : unreachable(answer);
}
