/** What the replica's tests share: a ledger with real signatures, and a coordinator that serves it, or lies about it. */
import { bytesToHex } from '@noble/hashes/utils.js';
import { checkpointAt } from '../ledger/batch.ts';
import { describeSeal, type Seal, sealCheckpoint } from '../ledger/checkpoint.ts';
import { decodeEntry, encodeReportEntry, encodeSignedEntry, signatureIn } from '../ledger/entry.ts';
import { TILE_ENTRIES } from '../ledger/limits.ts';
import { LogTree } from '../ledger/log-tree.ts';
import { CompactRange, hashLeaf } from '../ledger/merkle.ts';
import { consistencyProof } from '../ledger/merkle-proof.ts';
import { networkKey, TestLedger, wallets } from '../ledger/testing.ts';
import { encodeTile } from '../ledger/tile.ts';
import type { SigningKey } from '../wallet/wallet.ts';

const keys = new Map<string, SigningKey>(
  [networkKey, ...wallets].map((key) => [bytesToHex(key.publicKey), key] as const),
);

/** By message: the same ledgers are made again and again. */
const signatures = new Map<string, Uint8Array>();

function signatureOf(key: SigningKey, message: Uint8Array): Uint8Array {
  const name = bytesToHex(message);
  const signature = signatures.get(name) ?? key.sign(message);
  signatures.set(name, signature);
  return signature;
}

/** The bytes of an entry with the signature that belongs there. */
export function signedEntry(bytes: Uint8Array): Uint8Array {
  const entry = decodeEntry(bytes);
  const signed = signatureIn(entry);
  if (!('signed' in entry) || !signed) return bytes;
  const signature = signatureOf(keys.get(bytesToHex(signed.publicKey))!, signed.message);
  const payload = { bytes: signed.message, signature };
  return entry.kind === 'report'
    ? encodeReportEntry(entry.timeMs, payload, entry.activeSet)
    : encodeSignedEntry(entry.kind, entry.timeMs, payload);
}

export class SignedLedger extends TestLedger {
  override add(entry: Uint8Array): void {
    super.add(signedEntry(entry));
  }

  /** Adds an entry that breaks the rules: the state stays as it was. */
  force(entry: Uint8Array): void {
    this.log.push(entry);
    this.view.append(entry);
  }

  /** The first entries of another ledger. */
  begin({ log, timeMs }: SignedLedger, count: number): this {
    this.timeMs = timeMs;
    for (const entry of log.slice(0, count)) super.add(entry);
    return this;
  }

  /** `transfers` of wallet 1 to 3 after work enough to pay for them. */
  fill(transfers: number): this {
    for (let paid = 0; paid < transfers; paid += 2) {
      // Beyond the hourly quota there is nothing to be earned.
      if (paid % 100 === 0) this.timeMs += 3_600_000;
      this.pay();
    }
    for (let i = 0; i < transfers; i++) this.place(this.transfer());
    return this;
  }

  seal(change: { stateHash?: Uint8Array; root?: Uint8Array } = {}): Seal {
    const log = new LogTree();
    for (const entry of this.log) log.append(hashLeaf(entry));
    return sealCheckpoint(networkKey, { ...checkpointAt(this.network, { state: this.state, log }), ...change });
  }
}

/** A coordinator's HTTP API in this process. Its fields may be changed at any time; what it serves is what they say. */
export class TestCoordinator {
  readonly url = 'http://coordinator.test';
  ledger: SignedLedger;
  seal: Seal;
  /** Paths that were asked for. */
  readonly asked: string[] = [];
  /** Answers in the place of the true ones, or throws. */
  interfere: (path: string) => Response | undefined | Promise<Response> = () => undefined;

  constructor(ledger: SignedLedger) {
    this.ledger = ledger;
    this.seal = ledger.seal();
  }

  /** Serves this ledger from now on, under its own seal. */
  serve(ledger: SignedLedger, seal: Seal = ledger.seal()): void {
    this.ledger = ledger;
    this.seal = seal;
  }

  readonly fetch = (async (input: string | URL | Request, init?: RequestInit) => {
    const { pathname, search } = new URL(String(input));
    init?.signal?.throwIfAborted();
    this.asked.push(pathname);
    return (await this.interfere(pathname)) ?? this.#answer(pathname, new URLSearchParams(search));
  }) as typeof fetch;

  #answer(path: string, query: URLSearchParams): Response {
    const { log, network } = this.ledger;
    if (path === '/v1/network') {
      const { genesis } = network;
      return Response.json({ networkId: bytesToHex(network.id), name: 'test', genesis, publicKey: genesis.publicKey });
    }
    if (path === '/v1/checkpoint') return Response.json(describeSeal(this.seal));
    if (path === '/v1/proofs/consistency') {
      const [from, to] = [Number(query.get('from')), Number(query.get('to'))];
      const proof = consistencyProof(from, to, (level, index) => nodeOf(log, level, index));
      return Response.json({ from, to, proof: proof.map(bytesToHex) });
    }
    const [, index, width = TILE_ENTRIES] = /^\/v1\/tiles\/(\d+)(?:\/(\d+))?$/.exec(path) ?? [];
    const start = Number(index) * TILE_ENTRIES;
    const entries = log.slice(start, start + Number(width));
    if (entries.length !== Number(width)) return new Response('', { status: 404 });
    return new Response(encodeTile(entries) as Uint8Array<ArrayBuffer>);
  }
}

function nodeOf(log: readonly Uint8Array[], level: number, index: number): Uint8Array {
  const range = new CompactRange();
  for (const entry of log.slice(index * 2 ** level, (index + 1) * 2 ** level)) range.append(hashLeaf(entry));
  return range.root();
}
