import { seededRandom } from '../sampler/random.ts';
import type { Parameter } from './model/family.ts';
import { sizeOf } from './tape/tape.ts';

/** Makes the tensors of a new model, one after the other; the same for the same seed and order. */
export function initialiser(seed: number): (parameter: Parameter) => Float32Array {
  const normal = normalRandom(seededRandom(seed));
  return ({ shape, init }) => {
    const values = new Float32Array(sizeOf(shape));
    if ('constant' in init) return values.fill(init.constant);
    for (let index = 0; index < values.length; index++) values[index] = init.deviation * normal();
    return values;
  };
}

/** Standard normal numbers by Box and Muller (1958). */
function normalRandom(random: () => number): () => number {
  let spare: number | undefined;
  return () => {
    if (spare !== undefined) {
      const kept = spare;
      spare = undefined;
      return kept;
    }
    const radius = Math.sqrt(-2 * Math.log((random() + 1) / 2 ** 32));
    const angle = 2 * Math.PI * (random() / 2 ** 32);
    spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  };
}
