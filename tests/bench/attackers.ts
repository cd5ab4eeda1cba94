/** What liars of a training round send in place of what they learned. */
import { concatBytes } from '@noble/hashes/utils.js';
import { seededRandom } from '../../shared/sampler/random.ts';
import { applyUpdate } from '../../shared/train/aggregate/apply.ts';
import { encodeUpdate } from '../../shared/train/codec/encode.ts';
import type { UpdateFormat, UpdateHeader } from '../../shared/train/codec/format.ts';
import { type ParameterSpace, spaceValues } from '../../shared/train/codec/space.ts';
import { memoryStore } from '../../shared/train/codec/store.ts';

export const ATTACKS = ['flip', 'scale', 'noise', 'copy', 'stale', 'free-rider', 'collude'] as const;
export type Attack = (typeof ATTACKS)[number];

export interface Forgery {
  header: UpdateHeader;
  space: ParameterSpace;
  format: UpdateFormat;
  /** What honest work would have sent. */
  honest: Uint8Array;
  /** What another worker sends in this round. */
  neighbour: Uint8Array;
  /** What the attacker sent when it still worked. */
  first: Uint8Array;
  seed: number;
}

/** Common to all that collude. */
const COLLUSION_SEED = 99;

export async function forge(attack: Attack, forgery: Forgery): Promise<Uint8Array> {
  const { header, space, format } = forgery;
  const values = await forged(attack, forgery);
  const chunks: Uint8Array[] = [];
  for await (const chunk of encodeUpdate(header, space, format, [values])) chunks.push(chunk);
  return concatBytes(...chunks);
}

async function forged(attack: Attack, { space, format, honest, neighbour, first, seed }: Forgery) {
  const read = (bytes: Uint8Array) => dense(bytes, space, format);
  switch (attack) {
    case 'flip':
      return (await read(honest)).map((value) => -value);
    case 'scale':
      return (await read(honest)).map((value) => 1000 * value);
    case 'noise':
      return noise(await read(honest), seed);
    case 'copy':
      return read(neighbour);
    case 'stale':
      return read(first);
    // Did no work, and sends something small that does no harm either.
    case 'free-rider':
      return noise(await read(honest), seed).map((value) => value / 50);
    case 'collude': {
      const own = await read(honest);
      const shift = noise(own, COLLUSION_SEED);
      return own.map((value, i) => value + 0.5 * shift[i]!);
    }
  }
}

/** The values of an update, zeros where it sends nothing. */
async function dense(bytes: Uint8Array, space: ParameterSpace, format: UpdateFormat): Promise<Float32Array> {
  const values = new Float32Array(spaceValues(space));
  await applyUpdate([bytes], space, format, memoryStore(values), -1);
  return values;
}

/** Random signs with the magnitudes of another update, elsewhere. */
function noise(like: Float32Array, seed: number): Float32Array {
  const random = seededRandom(seed);
  const magnitudes = like.filter((value) => value !== 0);
  return like.map(() => {
    const draw = random();
    return magnitudes[draw % magnitudes.length]! * (draw & 0x8000 ? 1 : -1);
  });
}
