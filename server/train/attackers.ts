/** What liars of a training round send in place of what they learned: to measure what that costs. */
import { concatBytes } from '@noble/hashes/utils.js';
import { seededRandom } from '../../shared/sampler/random.ts';
import { applyUpdate } from '../../shared/train/aggregate/apply.ts';
import { encodeUpdate } from '../../shared/train/codec/encode.ts';
import { decodeHeader, type UpdateFormat } from '../../shared/train/codec/format.ts';
import { type ParameterSpace, spaceValues } from '../../shared/train/codec/space.ts';
import { memoryStore } from '../../shared/train/codec/store.ts';

/** Each as a person reads it. */
export const ATTACKS = {
  flip: 'the negative of what was learned',
  scale: 'a thousand times what was learned',
  noise: 'random signs elsewhere, as large as what was learned',
  copy: 'what another worker sends',
  stale: 'what the liar sent in the first round',
  'free-rider': 'a little noise, without any work',
  replay: "the last round's public delta, without any work",
  disguise: 'the same, two fifths of it moved elsewhere',
  collude: 'what was learned, and a shift that all liars agree on',
} satisfies Record<string, string>;
export type Attack = keyof typeof ATTACKS;
export const ATTACK_NAMES = Object.keys(ATTACKS) as Attack[];

export interface Forgery {
  space: ParameterSpace;
  uplink: UpdateFormat;
  downlink: UpdateFormat;
  /** What honest work would have sent: what is sent has its header. */
  honest: Uint8Array;
  /** What another worker, who does not lie, sends in this round. */
  neighbour: Uint8Array;
  /** What the attacker sent when it still worked. */
  first: Uint8Array;
  /** What the last round sent back to all. */
  published: Uint8Array;
  seed: number;
}

/** Common to all that collude. */
const COLLUSION_SEED = 99;
/** Of five values of a delta, how many a liar moves so that it looks less like it. */
const MOVED_OF_FIVE = 2;

export async function forge(attack: Attack, forgery: Forgery): Promise<Uint8Array> {
  const { space, uplink, honest } = forgery;
  const { header } = decodeHeader(honest, space, uplink);
  const values = await forged(attack, forgery);
  const chunks: Uint8Array[] = [];
  for await (const chunk of encodeUpdate(header, space, uplink, [values])) chunks.push(chunk);
  return concatBytes(...chunks);
}

async function forged(attack: Attack, forgery: Forgery): Promise<Float32Array> {
  const { space, uplink, downlink, honest, neighbour, first, published, seed } = forgery;
  const read = (bytes: Uint8Array) => dense(bytes, space, uplink);
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
    // Something small that does no harm either.
    case 'free-rider':
      return noise(await read(first), seed).map((value) => value / 50);
    case 'replay':
      return dense(published, space, downlink);
    case 'disguise':
      return scattered(await dense(published, space, downlink), seed);
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

function scattered(values: Float32Array, seed: number): Float32Array {
  const random = seededRandom(seed);
  const moved = values.slice();
  for (const [i, value] of values.entries()) {
    if (value === 0 || random() % 5 >= MOVED_OF_FIVE) continue;
    moved[i] = 0;
    moved[random() % moved.length] = random() & 0x8000 ? value : -value;
  }
  return moved;
}
