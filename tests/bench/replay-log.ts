/** A seeded log of real, signed entries: work that is paid, transfers, and the cosignatures that confirm them. */
import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { Batch, checkpointAt, type Tip } from '../../shared/ledger/batch.ts';
import { ZERO_HASH } from '../../shared/ledger/binary.ts';
import { encodeCheckpoint, type Seal } from '../../shared/ledger/checkpoint.ts';
import { encodeCosignature } from '../../shared/ledger/cosignature.ts';
import { encodeReceiptEntry, encodeSignedEntry } from '../../shared/ledger/entry.ts';
import { defaultGenesis } from '../../shared/ledger/genesis.ts';
import { TILE_ENTRIES } from '../../shared/ledger/limits.ts';
import { LogTree } from '../../shared/ledger/log-tree.ts';
import { type Network, networkOf } from '../../shared/ledger/network.ts';
import { LedgerState } from '../../shared/ledger/state.ts';
import { encodeTile } from '../../shared/ledger/tile.ts';
import { encodeTransaction, type Transaction } from '../../shared/ledger/transaction.ts';

/** Who pays and is paid, and who only verifies. */
const SPENDERS = 300;
const COSIGNERS = 10;
/** Transfers that wait for each other's confirmation. */
const COSIGNED_TOGETHER = 256;
/** One million take two months. */
const TRANSFER_EVERY_MS = 5_000;
/** Cosigners must have earned something in the last seven days. */
const PAID_EVERY_MS = 5 * 86_400_000;
const START_MS = Date.UTC(2026, 0, 1);
/** PKCS #8 around an Ed25519 secret (RFC 8410 §7). */
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

export interface ReplayLog {
  network: Network;
  /** The last may be shorter than TILE_ENTRIES. */
  tiles: Uint8Array[];
  size: number;
  /** Rewards and transfers; the rest are receipts and cosignatures. */
  transactions: number;
  seal: Seal;
  /** One of the wallets that take part. */
  publicKey: Uint8Array;
}

interface Key {
  publicKey: Uint8Array;
  secret: KeyObject;
}

export function makeReplayLog(transfers: number, seed = 1): ReplayLog {
  const maker = new LogMaker(seed);
  for (let i = 0; i < transfers; i++) maker.transfer();
  return maker.finish();
}

class LogMaker {
  readonly #networkKey: Key;
  readonly #requester: Key;
  readonly #spenders: Key[];
  readonly #cosigners: Key[];
  readonly #network: Network;
  readonly #tip: Tip;
  readonly #tiles: Uint8Array[] = [];
  #entries: Uint8Array[] = [];
  #batch: Batch;
  #timeMs = START_MS;
  #paidMs = Number.NEGATIVE_INFINITY;
  #waiting = 0;
  #transactions = 0;
  #random: number;

  constructor(seed: number) {
    this.#random = seed >>> 0 || 1;
    const keys = Array.from({ length: 2 + SPENDERS + COSIGNERS }, (_, i) => makeKey(seed, i));
    this.#networkKey = keys[0]!;
    this.#requester = keys[1]!;
    this.#spenders = keys.slice(2, 2 + SPENDERS);
    this.#cosigners = keys.slice(2 + SPENDERS);
    const genesis = defaultGenesis(this.#networkKey.publicKey, 'bench', START_MS);
    // Enough for all fees from few answers.
    const inference = { ...genesis.inference, rewardMicroAlc: '1000000000' };
    this.#network = networkOf({ ...genesis, inference });
    this.#tip = { state: LedgerState.empty(genesis), log: new LogTree() };
    this.#batch = new Batch(this.#network, this.#tip);
  }

  transfer(): void {
    this.#timeMs += TRANSFER_EVERY_MS;
    if (this.#timeMs - this.#paidMs > PAID_EVERY_MS) this.#pay();
    const payer = this.#draw(SPENDERS);
    const payee = (payer + 1 + this.#draw(SPENDERS - 1)) % SPENDERS;
    const to = this.#spenders[payee]!.publicKey;
    const amountMicroAlc = 1n + BigInt(this.#draw(50_000));
    this.#place(this.#spenders[payer]!, { type: 'transfer', to, amountMicroAlc, memo: '' });
    if (++this.#waiting === COSIGNED_TOGETHER) this.#cosign();
  }

  finish(): ReplayLog {
    this.#cosign();
    if (this.#entries.length > 0) this.#tiles.push(encodeTile(this.#entries));
    const bytes = encodeCheckpoint(checkpointAt(this.#network, this.#tip));
    return {
      network: this.#network,
      tiles: this.#tiles,
      size: this.#tip.log.size,
      transactions: this.#transactions,
      seal: { bytes, signature: signed(this.#networkKey, bytes) },
      publicKey: this.#spenders[0]!.publicKey,
    };
  }

  /** One answer that everybody took part in but the requester, who is not paid. */
  #pay(): void {
    this.#paidMs = this.#timeMs;
    const requester = this.#requester.publicKey;
    const participants = [...this.#spenders, ...this.#cosigners].map(({ publicKey }, i) => ({
      publicKey,
      start: i,
      end: i + 1,
    }));
    const number = (this.#tip.state.account(requester)?.receipts ?? 0) + 1;
    const job = new Uint8Array(16).fill(number);
    const done = { tokens: 200, latencyMs: 5000, finish: 'stop', model: 'bench' } as const;
    this.#add(
      encodeReceiptEntry(this.#timeMs, { job, requester, number, timeMs: this.#timeMs, ...done, participants }),
    );
    for (const due of [...this.#tip.state.due]) {
      this.#place(this.#networkKey, { memo: '', ...due });
    }
  }

  #cosign(): void {
    this.#waiting = 0;
    const { log } = this.#tip;
    const covered = { networkId: this.#network.id, size: log.size, root: log.root() };
    for (const key of this.#cosigners) {
      const bytes = encodeCosignature({ ...covered, publicKey: key.publicKey });
      this.#add(encodeSignedEntry('cosignature', this.#timeMs, { bytes, signature: signed(key, bytes) }));
    }
  }

  #place(
    key: Key,
    transaction: Pick<Transaction, 'type' | 'to' | 'amountMicroAlc' | 'memo'> & { reference?: Uint8Array },
  ): void {
    const { state } = this.#tip;
    const isTransfer = transaction.type === 'transfer';
    const nonce = (isTransfer ? (state.account(key.publicKey)?.nonce ?? 0) : state.totals.networkNonce) + 1;
    const bytes = encodeTransaction({
      reference: ZERO_HASH,
      ...transaction,
      ...{ networkId: this.#network.id, from: key.publicKey, nonce, timeMs: this.#timeMs },
      feeMicroAlc: isTransfer ? BigInt(this.#network.genesis.transfer.feeMicroAlc) : 0n,
    });
    this.#add(encodeSignedEntry('transaction', this.#timeMs, { bytes, signature: signed(key, bytes) }));
    this.#transactions++;
  }

  #add(entry: Uint8Array): void {
    this.#batch.add(entry);
    this.#entries.push(entry);
    if (this.#entries.length < TILE_ENTRIES) return;
    this.#tiles.push(encodeTile(this.#entries));
    this.#entries = [];
    this.#batch = new Batch(this.#network, this.#tip);
  }

  /** xorshift32. */
  #draw(below: number): number {
    let x = this.#random;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#random = x >>> 0;
    return this.#random % below;
  }
}

function makeKey(seed: number, index: number): Key {
  const secret = Buffer.alloc(32, 7);
  secret.writeUInt32LE(seed, 0);
  secret.writeUInt32LE(index, 4);
  const key = createPrivateKey({ key: Buffer.concat([PKCS8, secret]), format: 'der', type: 'pkcs8' });
  const jwk = createPublicKey(key).export({ format: 'jwk' });
  return { publicKey: new Uint8Array(Buffer.from(jwk.x!, 'base64url')), secret: key };
}

function signed({ secret }: Key, message: Uint8Array): Uint8Array {
  return new Uint8Array(sign(null, message, secret));
}
