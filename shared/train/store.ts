import type { Values } from '../runtime/tensor-engine.ts';
import type { ParameterSource } from './codec/store.ts';
import type { Parameter } from './model/family.ts';
import { sizeOf } from './tape/tape.ts';
import type { VirtualTensor } from './virtual/layout.ts';

/**
 * Float32 tensors by name: weights, optimiser state. An array that was read must not be changed, and one that was
 * written belongs to the store.
 */
export interface TensorStore {
  /** Throws RangeError for a name it does not have. */
  read(name: string): Promise<Float32Array>;
  write(name: string, values: Float32Array): Promise<void>;
}

/** A store in memory; tensors that were never written are made by `initial`. */
export function memoryStore(
  parameters: readonly Parameter[],
  initial: (parameter: Parameter) => Float32Array,
): TensorStore {
  const values = new Map(parameters.map((parameter) => [parameter.name, initial(parameter)]));
  return {
    async read(name) {
      const found = values.get(name);
      if (!found) throw new RangeError(`there is no tensor ${name}`);
      return found;
    },
    async write(name, tensor) {
      values.set(name, tensor);
    },
  };
}

/** As `memoryStore`; what it does not have is read from a store below, which it never writes to. */
export function storeOver(
  below: Pick<TensorStore, 'read'>,
  parameters: readonly Parameter[],
  initial: (parameter: Parameter) => Float32Array,
): TensorStore {
  const above = memoryStore(parameters, initial);
  const names = new Set(parameters.map(({ name }) => name));
  return {
    read: (name) => (names.has(name) ? above : below).read(name),
    async write(name, values) {
      if (!names.has(name)) throw new RangeError(`the tensor ${name} is not to be changed`);
      await above.write(name, values);
    },
  };
}

export function zeroValues({ shape }: Parameter): Float32Array {
  return new Float32Array(sizeOf(shape));
}

/** The tensors of a store as inputs of a graph, under their own names. */
export async function weightInputs(
  store: Pick<TensorStore, 'read'>,
  parameters: readonly Parameter[],
): Promise<Record<string, Values>> {
  const inputs: Record<string, Values> = {};
  for (const { name, shape } of parameters) inputs[name] = { data: await store.read(name), shape };
  return inputs;
}

/** The values of a store as those of a space. */
export function sourceOf(store: TensorStore, tensors: readonly VirtualTensor[]): ParameterSource {
  return {
    async read(from, into) {
      for (const { name, start, length } of tensors) {
        const [first, end] = [Math.max(from, start), Math.min(from + into.length, start + length)];
        if (first >= end) continue;
        into.set((await store.read(name)).subarray(first - start, end - start), first - from);
      }
    },
  };
}
