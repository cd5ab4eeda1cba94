import { seededRandom } from '../../sampler/random.ts';
import { slabOffset } from '../codec/decode.ts';
import { BLOCK_VALUES } from '../codec/limits.ts';
import { blocksOf, type ParameterSpace, type Slab, slabsOf } from '../codec/space.ts';

/**
 * Which places of every block a round sends, ascending: masks only cancel where all members send the same. The next
 * `keep` of one random order of all places (from `seed`), round after round, so that none waits longer than
 * ⌈4096 / keep⌉ rounds, as some would if every round drew anew (rand-k).
 */
export function placesOf(seed: number, round: number, keep: number): Uint16Array {
  const order = shuffled(seed);
  const first = (round * keep) % BLOCK_VALUES;
  return Uint16Array.from({ length: keep }, (_, i) => order[(first + i) % BLOCK_VALUES]!).sort();
}

/** How many values of a space lie at those places. */
export function countPlaces(space: ParameterSpace, places: Uint16Array): number {
  let count = 0;
  for (const { size } of sizedBlocks(space)) count += fitting(places, size);
  return count;
}

/** Where those values lie in the space, in the order in which updates carry them. */
export function* indicesOf(space: ParameterSpace, places: Uint16Array): Generator<number, void, void> {
  for (const { slab, base, size } of sizedBlocks(space)) {
    const count = fitting(places, size);
    for (let i = 0; i < count; i++) yield slab.start + slabOffset(slab, base + places[i]!);
  }
}

/** Every block of a space: its values begin at position `base` of its slab. */
function* sizedBlocks(space: ParameterSpace): Generator<{ slab: Slab; base: number; size: number }, void, void> {
  for (const slab of slabsOf(space)) {
    for (let block = 0; block < blocksOf(slab); block++) {
      const base = block * slab.blockColumns * slab.rows;
      yield { slab, base, size: Math.min(slab.blockColumns * slab.rows, slab.rows * slab.columns - base) };
    }
  }
}

/** How many of the places are in a block of `size` values. */
function fitting(places: Uint16Array, size: number): number {
  if (size >= BLOCK_VALUES) return places.length;
  const beyond = places.findIndex((place) => place >= size);
  return beyond < 0 ? places.length : beyond;
}

function shuffled(seed: number): Uint16Array {
  const random = seededRandom(seed);
  const order = Uint16Array.from({ length: BLOCK_VALUES }, (_, i) => i);
  for (let i = order.length - 1; i > 0; i--) {
    const j = random() % (i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}
