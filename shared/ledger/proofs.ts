/** Proofs over the log from what is kept for each tile, so that making one never reads the log. */
import { TILE_ENTRIES } from './limits.ts';
import { CompactRange, hashNode } from './merkle.ts';
import type { NodeHash } from './merkle-proof.ts';

export interface TileHashes {
  /** The leaf hashes of a tile's entries, as many as there are. Asked for up to nine times a proof: hash entries once. */
  leaves(tile: number): readonly Uint8Array[];
  /** The root over a full tile. */
  root(tile: number): Uint8Array;
}

const TILE_LEVEL = Math.log2(TILE_ENTRIES);
/** From this level on nodes are kept: one for 16 tiles, and no proof hashes more than 15 tile roots a level again. */
const KEPT_LEVEL = TILE_LEVEL + 4;

/**
 * Node hashes for `inclusionProof` and `consistencyProof`, taken from tiles when they are asked for. Leaves are read of
 * two tiles at most: those that hold the entry (or the smaller tree's end) and the tree's end, unless that is full.
 *
 * Complete nodes never change, so one of these serves as long as the log grows.
 */
export function tileNodes(tiles: TileHashes): NodeHash {
  const kept = new Map<string, Uint8Array>();
  const node: NodeHash = (level, index) => {
    if (level < TILE_LEVEL) return insideTile(tiles, level, index);
    if (level === TILE_LEVEL) return tiles.root(index);
    const key = `${level}/${index}`;
    const known = kept.get(key);
    if (known) return known;
    const hash = hashNode(node(level - 1, 2 * index), node(level - 1, 2 * index + 1));
    if (level >= KEPT_LEVEL) kept.set(key, hash);
    return hash;
  };
  return node;
}

function insideTile(tiles: TileHashes, level: number, index: number): Uint8Array {
  const width = 2 ** level;
  const tile = Math.floor((index * width) / TILE_ENTRIES);
  const start = index * width - tile * TILE_ENTRIES;
  const range = new CompactRange();
  for (const leaf of tiles.leaves(tile).slice(start, start + width)) range.append(leaf);
  if (range.size !== width) throw new RangeError(`tile ${tile} ends after ${start + range.size} entries`);
  return range.root();
}
