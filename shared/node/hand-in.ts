import { bytesToHex } from '@noble/hashes/utils.js';
import { sha256Hex } from '../bytes/sha256.ts';
import { AiloError, type WireError } from '../errors/index.ts';
import { paths, UPLOAD_HEADERS } from '../protocol/http.ts';
import type { Schedule } from '../protocol/schedule.ts';
import { uploadBytes } from '../train/campaign/upload.ts';
import type { Wallet } from '../wallet/wallet.ts';
import { UPLOAD_ATTEMPTS, UPLOAD_RETRY_MS } from './limits.ts';
import type { Log } from './log.ts';

export interface HandInOptions {
  url: string;
  wallet: Wallet;
  fetch: typeof fetch;
  networkId(): string | undefined;
  schedule: Schedule;
  log: Log;
}

/**
 * Hands an update of a unit in, again and again while the coordinator cannot be reached. Rejects with what the coordinator
 * refuses it with, and with the last failure when there were UPLOAD_ATTEMPTS.
 */
export async function handIn(
  { url, wallet, fetch, networkId, schedule, log }: HandInOptions,
  { campaign, unit, update }: { campaign: string; unit: string; update: Uint8Array },
  signal: AbortSignal,
  attemptsLeft = UPLOAD_ATTEMPTS,
): Promise<void> {
  const message = uploadBytes({ networkId: networkId()!, unit, hash: await sha256Hex(update) });
  try {
    const response = await fetch(new URL(paths.update(campaign, unit), url), {
      method: 'PUT',
      headers: {
        'content-type': 'application/octet-stream',
        [UPLOAD_HEADERS.publicKey]: bytesToHex(wallet.publicKey),
        [UPLOAD_HEADERS.signature]: bytesToHex(wallet.sign(message)),
      },
      body: update as Uint8Array<ArrayBuffer>,
      signal,
    });
    if (response.ok) return;
    if (response.status < 500) throw AiloError.fromWire((await response.json()) as WireError);
    throw new Error(`the coordinator answered with ${response.status}`);
  } catch (thrown) {
    if (thrown instanceof AiloError || attemptsLeft <= 1 || signal.aborted) throw thrown;
    log.info({ unit, attemptsLeft }, 'the update could not be handed in yet');
    await new Promise<void>((resolve) => schedule(resolve, UPLOAD_RETRY_MS));
    const options = { url, wallet, fetch, networkId, schedule, log };
    await handIn(options, { campaign, unit, update }, signal, attemptsLeft - 1);
  }
}
