/**
 * The log's Merkle tree as a replay carries it: it grows leaf by leaf, and still knows the roots it had over the last
 * COSIGNATURE_WINDOW entries, which is what others may have signed. Some 600 KB, however long the log.
 */
import { HASH_BYTES } from './binary.ts';
import { COSIGNATURE_WINDOW, TILE_ENTRIES } from './limits.ts';
import { CompactRange } from './merkle.ts';

/** Tiles that the window touches: it may begin and end inside of one. */
const WINDOW_TILES = COSIGNATURE_WINDOW / TILE_ENTRIES + 1;
const WINDOW_LEAVES = WINDOW_TILES * TILE_ENTRIES;
/** Answers of `rootAt` that are kept: those who follow the log ask for the same few sizes. */
const CACHED_ROOTS = 16;

/** The complete subtrees of the first `size` entries, from which the tree over what follows grows. */
export interface Frontier {
  readonly size: number;
  /** As `CompactRange` has them. */
  readonly hashes: readonly Uint8Array[];
}

export class LogTree {
  readonly #range: CompactRange;
  /** Frontiers to grow old roots from, oldest first: at tile boundaries, but for the one the tree was made from. */
  readonly #frontiers: Frontier[] = [];
  /** A ring: the leaf hash of entry i is number i mod WINDOW_LEAVES. */
  readonly #leaves = new Uint8Array(WINDOW_LEAVES * HASH_BYTES);
  readonly #roots = new Map<number, Uint8Array>();

  /**
   * The tree over the first `size` entries, given by its frontier, and the entries whose leaf hashes follow.
   *
   * `rootAt` cannot look behind `size`. To open a log of n entries with its whole window, give it the frontier where
   * the window begins (`windowFrontier`, or made of the tiles' roots before it) together with the leaf hashes of all
   * entries since: those of 64 tiles at most and of the one that is not full. RangeError where `hashes` are not as many
   * as a tree of `size` has.
   */
  constructor(size = 0, hashes: readonly Uint8Array[] = [], tailLeafHashes: Iterable<Uint8Array> = []) {
    this.#range = new CompactRange(size, hashes);
    this.#keepFrontier();
    for (const leafHash of tailLeafHashes) this.append(leafHash);
  }

  get size(): number {
    return this.#range.size;
  }

  /** The frontier at the end. */
  get hashes(): readonly Uint8Array[] {
    return this.#range.hashes;
  }

  /** Where the window begins, as the constructor takes it: a tile boundary, or where this tree itself was begun. */
  get windowFrontier(): Frontier {
    return this.#frontiers[0]!;
  }

  append(leafHash: Uint8Array): void {
    const kept = leafHash.slice();
    this.#leaves.set(kept, placeOf(this.size));
    this.#range.append(kept);
    if (this.size % TILE_ENTRIES === 0) this.#keepFrontier();
  }

  root(): Uint8Array {
    return this.#range.root();
  }

  /**
   * The root over the first `size` entries; undefined for more than there are, and for sizes that lie more than
   * COSIGNATURE_WINDOW before the end or before where this tree was begun. Costs at most some 300 hashes.
   */
  rootAt(size: number): Uint8Array | undefined {
    if (!Number.isSafeInteger(size) || size > this.size || this.size - size > COSIGNATURE_WINDOW) return undefined;
    const known = this.#roots.get(size);
    if (known) return known;
    const start = this.#frontiers.findLast((frontier) => frontier.size <= size);
    if (!start) return undefined;
    const range = new CompactRange(start.size, start.hashes);
    while (range.size < size) {
      const at = placeOf(range.size);
      range.append(this.#leaves.subarray(at, at + HASH_BYTES));
    }
    // The root of one leaf is that leaf, whose place is somebody else's soon.
    const root = range.root().slice();
    if (this.#roots.size >= CACHED_ROOTS) this.#roots.delete(this.#roots.keys().next().value!);
    this.#roots.set(size, root);
    return root;
  }

  /** The root over a full tile; undefined for one that is not full yet or begins before the window. */
  tileRoot(tile: number): Uint8Array | undefined {
    const start = tile * TILE_ENTRIES;
    if (!Number.isSafeInteger(tile) || start < this.windowFrontier.size || start + TILE_ENTRIES > this.size)
      return undefined;
    const range = new CompactRange();
    const first = placeOf(start);
    for (let i = 0; i < TILE_ENTRIES; i++) {
      range.append(this.#leaves.subarray(first + i * HASH_BYTES, first + (i + 1) * HASH_BYTES));
    }
    return range.root();
  }

  #keepFrontier(): void {
    const { size, hashes } = this.#range;
    this.#frontiers.push({ size, hashes: [...hashes] });
    // The second is far enough back for the whole window.
    while (this.#frontiers.length > 1 && size - this.#frontiers[1]!.size >= COSIGNATURE_WINDOW) this.#frontiers.shift();
  }
}

function placeOf(entry: number): number {
  return (entry % WINDOW_LEAVES) * HASH_BYTES;
}
