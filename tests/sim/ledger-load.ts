/** A wallet that sends one transfer after the other over HTTP, to a coordinator that may be gone at any moment. */
import { bytesToHex, concatBytes } from '@noble/hashes/utils.js';
import { ZERO_HASH } from '../../shared/ledger/binary.ts';
import type { Network } from '../../shared/ledger/network.ts';
import { type SignedTransaction, signTransaction } from '../../shared/ledger/transaction.ts';
import { paths } from '../../shared/protocol/http.ts';
import type { Wallet } from '../../shared/wallet/wallet.ts';

/** What each wallet begins with. */
export const REWARD_MICRO_ALC = 1_000_000_000_000n;
const RETRY_MS = 20;

export interface Sent {
  /** Hash of the transfer, hex. */
  hash: string;
  /** Its place as it was acknowledged; absent: given up without an answer. */
  index?: number;
}

export interface LoadOptions {
  wallet: Wallet;
  to: Uint8Array;
  network: Network;
  /** Where the coordinator is now. */
  url(): string;
  /** Uniform in [0, 1). */
  random(): number;
  /** Every transfer that was ever sent, also the unanswered ones. */
  sent: Sent[];
  onAcknowledged(): void;
  stopped(): boolean;
}

/** Sends until it is stopped. An answer that got lost is asked for again, or the transfer is given up for another. */
export async function sendTransfers(options: LoadOptions): Promise<void> {
  const { sent, random } = options;
  for (let nonce = 1, attempt = 0; !options.stopped(); attempt++) {
    const transfer = sign(options, nonce, `transfer ${attempt}`);
    const record: Sent = { hash: bytesToHex(transfer.hash) };
    sent.push(record);
    for (let answered = false; !answered && !options.stopped(); ) {
      const index = await submit(options, transfer);
      if (index !== undefined) {
        record.index = index;
        options.onAcknowledged();
        nonce++;
        answered = true;
      } else if (random() < 0.5) {
        const found = await lookUp(options, record.hash);
        // It is certain now whether it is in the log: the nonce is used up, or free for another transfer.
        if (found !== undefined) nonce += found ? 1 : 0;
        answered = found !== undefined;
      }
    }
  }
}

/** The acknowledged place; undefined where there was no answer, or none that says what became of it. */
async function submit({ url }: LoadOptions, { bytes, signature }: SignedTransaction): Promise<number | undefined> {
  const signed = bytesToHex(concatBytes(bytes, signature));
  const answer = await request(url() + paths.submissions, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ kind: 'transfer', signed }),
  });
  if (!answer || answer.status === 429 || answer.status === 503) return wait();
  const body = (await answer.json().catch(() => undefined)) as { index: number } | undefined;
  if (body === undefined) return wait();
  if (answer.status !== 200) throw new Error(`a good transfer was refused: ${JSON.stringify(body)}`);
  return body.index;
}

/** Whether the transfer is in the log; undefined where nobody answers. */
async function lookUp({ url }: LoadOptions, hash: string): Promise<boolean | undefined> {
  const answer = await request(url() + paths.transaction(hash));
  if (answer?.status === 200 || answer?.status === 404) return answer.status === 200;
  return wait();
}

async function request(url: string, init?: RequestInit): Promise<Response | undefined> {
  return fetch(url, init).catch(() => undefined);
}

async function wait(): Promise<undefined> {
  await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
}

function sign({ wallet, to, network }: LoadOptions, nonce: number, memo: string): SignedTransaction {
  return signTransaction(wallet, {
    networkId: network.id,
    type: 'transfer',
    from: wallet.publicKey,
    to,
    amountMicroAlc: 1n,
    feeMicroAlc: BigInt(network.genesis.transfer.feeMicroAlc),
    nonce,
    timeMs: network.genesis.timeMs,
    reference: ZERO_HASH,
    memo,
  });
}
