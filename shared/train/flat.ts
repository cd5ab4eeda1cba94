import { bytesToHex } from '@noble/hashes/utils.js';
import { sha256 } from '../bytes/sha256-sync.ts';
import type { ParameterSpace } from './codec/space.ts';
import type { Parameter } from './model/family.ts';
import type { TensorStore } from './store.ts';
import { sizeOf } from './tape/tape.ts';

/** The parameters as the tensors of a space, in the same order. */
export function spaceOf(parameters: readonly Parameter[]): ParameterSpace {
  return parameters.map(({ name, shape }) => ({ name, shape }));
}

/** Tensors by name that lie in `values` one after the other, in the order of the parameters. */
export function flatStore(values: Float32Array, parameters: readonly Parameter[]): TensorStore {
  const views = new Map<string, Float32Array>();
  let at = 0;
  for (const { name, shape } of parameters) {
    views.set(name, values.subarray(at, at + sizeOf(shape)));
    at += sizeOf(shape);
  }
  const find = (name: string) => {
    const view = views.get(name);
    if (!view) throw new RangeError(`there is no tensor ${name}`);
    return view;
  };
  return {
    async read(name) {
      return find(name);
    },
    async write(name, tensor) {
      find(name).set(tensor);
    },
  };
}

/** SHA-256 over f32 values, little-endian, as hex. */
export function hashOfValues(values: Float32Array): string {
  return bytesToHex(sha256(new Uint8Array(values.buffer, values.byteOffset, values.byteLength)));
}
