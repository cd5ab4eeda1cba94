/** Where the values of a parameter space lie: weights, or a node's error feedback. Walked in order, slab by slab. */
export interface ParameterStore {
  /** Fills `into` with the values from `start` of the space on. */
  read(start: number, into: Float32Array): Promise<void>;
  /** Replaces the values from `start` on; `values` is only good until the promise is fulfilled. */
  write(start: number, values: Float32Array): Promise<void>;
}

/** All values in one array. */
export function memoryStore(values: Float32Array): ParameterStore {
  return {
    async read(start, into) {
      into.set(values.subarray(start, start + into.length));
    },
    async write(start, from) {
      values.set(from, start);
    },
  };
}

/** What is only read. */
export type ParameterSource = Pick<ParameterStore, 'read'>;
