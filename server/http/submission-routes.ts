/** What wallets sign comes in here: transfers, registrations, cosignatures and reports. */
import { normalizeIP } from '@fastify/rate-limit';
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import type { FastifyPluginAsync } from 'fastify';
import type * as v from 'valibot';
import { AiloError } from '../../shared/errors/index.ts';
import { paths, Submission, type SubmissionResponse } from '../../shared/protocol/http.ts';
import { MAX_BUCKETS } from '../coordinator/limits.ts';
import { RateLimiter } from '../coordinator/rate-limit.ts';
import type { Ledger } from '../ledger/types.ts';
import { MAX_SUBMISSION_BYTES, SUBMISSION_RATES } from './limits.ts';
import { parse } from './parse.ts';

export interface SubmissionRoutes {
  ledger: Ledger;
  /** Milliseconds of a steady clock. */
  now(): number;
}

/** What only somebody who tampers or guesses sends; refusing it costs more than accepting something honest. */
const FORGERIES = new Set(['SIGNATURE_INVALID', 'PUBLIC_KEY_INVALID']);

export function submissionRoutes({ ledger, now }: SubmissionRoutes): FastifyPluginAsync {
  const addresses = new RateLimiter(SUBMISSION_RATES.perAddress, MAX_BUCKETS);
  const forgeries = new RateLimiter(SUBMISSION_RATES.forgeriesPerAddress, MAX_BUCKETS);
  const wallets = {
    transfer: new RateLimiter(SUBMISSION_RATES.perWallet.transfer, MAX_BUCKETS),
    registration: new RateLimiter(SUBMISSION_RATES.perWallet.registration, MAX_BUCKETS),
    cosignature: new RateLimiter(SUBMISSION_RATES.perWallet.cosignature, MAX_BUCKETS),
    report: new RateLimiter(SUBMISSION_RATES.perWallet.report, MAX_BUCKETS),
  };

  return async (app) => {
    app.post(
      paths.submissions,
      { bodyLimit: MAX_SUBMISSION_BYTES },
      async ({ body, ip }, reply): Promise<v.InferInput<typeof SubmissionResponse>> => {
        const admit = (retryAfterMs: number) => {
          if (retryAfterMs === 0) return;
          reply.header('retry-after', Math.ceil(retryAfterMs / 1000));
          throw AiloError.of('RATE_LIMITED', { retryAfterMs });
        };
        // Who owns an IPv6 address usually owns the 2^64 around it.
        const address = normalizeIP(ip, 64);
        admit(addresses.take(address, now()));
        // Who has used up his forgeries is not heard at all until there is room for one more.
        admit(forgeries.wait(address, now()));
        const { kind, signed } = parse(Submission, body);
        try {
          // Only who holds the key can use up a wallet's own allowance.
          return await ledger.submit(kind, hexToBytes(signed), (key) =>
            admit(wallets[kind].take(bytesToHex(key), now())),
          );
        } catch (error) {
          if (error instanceof AiloError && FORGERIES.has(error.code)) forgeries.take(address, now());
          throw error;
        }
      },
    );
  };
}
