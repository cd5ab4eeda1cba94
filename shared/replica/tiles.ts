/** Tiles on their way: fetched ahead, read, and their signatures being checked while what is before them is applied. */
import { type AiloError, toAiloError } from '../errors/index.ts';
import { equalBytes } from '../ledger/binary.ts';
import { decodeEntry, type Entry, signatureIn } from '../ledger/entry.ts';
import { TILE_ENTRIES } from '../ledger/limits.ts';
import type { Network } from '../ledger/network.ts';
import type { StateView } from '../ledger/state.ts';
import { decodeTile, type TileSpan, tileSpans } from '../ledger/tile.ts';
import type { SignedMessage, Verifier } from '../wallet/verifier.ts';
import { DOWNLOADS_AHEAD, VERIFY_AHEAD } from './limits.ts';
import type { LedgerSource } from './source.ts';

/** Entries of one tile, from `start` on. */
export interface TileEntries {
  start: number;
  entries: Uint8Array[];
}

/**
 * The entries `from` ≤ place < `to` of a log of `to`, tile by tile, in order; DOWNLOADS_AHEAD are fetched at once. Throws
 * what `source.tile` throws, and TILE_INVALID.
 */
export async function* downloadEntries(
  source: LedgerSource,
  from: number,
  to: number,
  signal: AbortSignal,
): AsyncGenerator<TileEntries> {
  const stop = new AbortController();
  const either = AbortSignal.any([signal, stop.signal]);
  const waiting: { span: TileSpan; bytes: Promise<Uint8Array> }[] = [];
  const spans = tileSpans(from, to, to).values();
  const fetchNext = () => {
    const { value: span } = spans.next();
    if (!span) return;
    const bytes = source.tile(span, either);
    // Whoever waits for it is told; here it is only kept from being nobody's.
    bytes.catch(() => undefined);
    waiting.push({ span, bytes });
  };
  try {
    for (let i = 0; i < DOWNLOADS_AHEAD; i++) fetchNext();
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const { index, width } = next.span;
      const entries = decodeTile(await next.bytes, width);
      fetchNext();
      const start = Math.max(from, index * TILE_ENTRIES);
      yield { start, entries: entries.slice(start - index * TILE_ENTRIES) };
    }
  } finally {
    stop.abort();
  }
}

export interface CheckedEntry {
  bytes: Uint8Array;
  /** Or why it is none. */
  entry: Entry | AiloError;
  signed: SignedMessage | undefined;
}

export interface CheckedTile {
  start: number;
  entries: CheckedEntry[];
  /**
   * Whether each entry's signature holds; undefined where there is none, or where it is from a key without an account
   * yet: only keys that passed `checkPublicKey` are given to the platform, and the rules do that for each key once.
   */
  verdicts: Promise<(boolean | undefined)[]>;
}

/** Reads the tiles and begins to check VERIFY_AHEAD of them before they are asked for. */
export async function* checkAhead(
  tiles: AsyncIterable<TileEntries> | Iterable<TileEntries>,
  verifier: Verifier,
  network: Network,
  state: StateView,
): AsyncGenerator<CheckedTile> {
  const checking: CheckedTile[] = [];
  try {
    for await (const tile of tiles) {
      checking.push(check(tile, verifier, network, state));
      if (checking.length > VERIFY_AHEAD) yield checking.shift()!;
    }
  } catch (error) {
    // What arrived before is as good as ever.
    yield* checking;
    throw error;
  }
  yield* checking;
}

function check({ start, entries }: TileEntries, verifier: Verifier, network: Network, state: StateView): CheckedTile {
  const read = entries.map((bytes): CheckedEntry => {
    const entry = readEntry(bytes);
    return { bytes, entry, signed: entry instanceof Error ? undefined : signatureIn(entry) };
  });
  const isKnown = (key: Uint8Array) => equalBytes(key, network.publicKey) || state.placeOf(key) !== undefined;
  const known = read.flatMap(({ signed }, i) => (signed && isKnown(signed.publicKey) ? [{ i, signed }] : []));
  const verdicts: (boolean | undefined)[] = new Array(entries.length).fill(undefined);
  const verified = verifier.verifyAll(known.map(({ signed }) => signed)).then((answers) => {
    for (const [at, { i }] of known.entries()) verdicts[i] = answers[at];
    return verdicts;
  });
  return { start, entries: read, verdicts: verified };
}

function readEntry(bytes: Uint8Array): Entry | AiloError {
  try {
    return decodeEntry(bytes);
  } catch (error) {
    return toAiloError(error);
  }
}
