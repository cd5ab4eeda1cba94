/** Runs of onnxruntime-web sessions that read and write in the WASM heap: KV caches, weights and gradients. */
import type { InferenceSession, Tensor } from 'onnxruntime-common';
import { DATA_TYPES, type DataType } from '../../shared/graph/onnx.ts';
import type { Ort } from '../../shared/runtime/ort.ts';
import type { EngineMemory } from '../../shared/runtime/tensor-engine.ts';
import type { OrtModule } from './ort-module.ts';

const POINTER_BYTES = 4;
/** In onnxruntime-web's numbering of data locations. */
const ON_CPU = 1;
const NO_OPTIONS = 0;

/** Of a tensor in the heap: the engine's handle and where its bytes are. */
interface HeapTensor {
  handle: number;
  data: number;
}

/** An onnxruntime module seen from below the public API, which copies every input in and every output out. */
export class OrtHeap {
  readonly #ort: Ort;
  readonly #module: OrtModule;
  readonly #tensors = new Map<Tensor, HeapTensor>();
  /** The heap's memory, as it is seen after each time that it grew: all of them show the same bytes. */
  readonly #views = new WeakSet<ArrayBufferLike>();

  constructor(ort: Ort, module: OrtModule) {
    this.#ort = ort;
    this.#module = module;
  }

  /** A float32 tensor of zeros that runs read and write in place; `dispose` frees it. Throws RangeError without room. */
  allocate(dims: number[]): Tensor {
    const size = dims.reduce((product, dim) => product * dim, 1);
    const place = this.#create('float32', size * Float32Array.BYTES_PER_ELEMENT, dims);
    const data = new Float32Array(this.#module.HEAPU8.buffer, place.data, size);
    data.fill(0);
    const tensor = new this.#ort.Tensor('float32', data, dims);
    this.#tensors.set(tensor, place);
    tensor.dispose = () => {
      this.#tensors.delete(tensor);
      this.#free(place);
    };
    return tensor;
  }

  /** As `allocate`, as an array: tensors over any part of it are used in place. Of a shared heap only. */
  reserve(size: number): EngineMemory {
    const module = this.#module;
    const bytes = size * Float32Array.BYTES_PER_ELEMENT;
    const data = module._malloc(bytes);
    if (data === 0) throw noRoom(bytes);
    const { buffer } = module.HEAPU8;
    this.#views.add(buffer);
    return { values: new Float32Array(buffer, data, size).fill(0), free: () => module._free(data) };
  }

  /** Runs `session`: what is fed or fetched of this heap is used in place, everything else is copied. */
  async run(
    session: InferenceSession,
    feeds: Readonly<Record<string, Tensor>>,
    fetches: Readonly<Record<string, Tensor | null>>,
  ): Promise<Record<string, Tensor>> {
    const module = this.#module;
    const stack = module.stackSave();
    const copies: HeapTensor[] = [];
    const handles: number[] = [];
    const strings: number[] = [];
    const copied = (tensor: Tensor) => {
      const copy = this.#copy(tensor);
      copies.push(copy);
      return copy.handle;
    };
    const lent = (tensor: Tensor) => {
      const values = tensor.data as Float32Array;
      if (!this.#views.has(values.buffer)) return undefined;
      const handle = this.#handle(tensor.type as DataType, values.byteOffset, values.byteLength, tensor.dims);
      handles.push(handle);
      return handle;
    };
    const here = (tensor: Tensor) => this.#tensors.get(tensor)?.handle ?? lent(tensor);
    const names = (of: object) => {
      const texts = Object.keys(of).map((name) => this.#text(name));
      strings.push(...texts);
      return this.#pointers(texts);
    };
    try {
      const inputs = Object.values(feeds).map((tensor) => here(tensor) ?? copied(tensor));
      const given = Object.values(fetches).map((tensor) => (tensor ? here(tensor) : undefined) ?? 0);
      const outputs = this.#pointers(given);
      const code = await module._OrtRun(
        handleOf(session),
        names(feeds),
        this.#pointers(inputs),
        inputs.length,
        names(fetches),
        given.length,
        outputs,
        NO_OPTIONS,
      );
      if (code !== 0) throw this.#lastError();
      const results = Object.entries(fetches).map(([name, tensor], index): [string, Tensor] => {
        if (tensor && given[index] !== 0) return [name, tensor];
        const taken = this.#take(module.getValue(outputs + POINTER_BYTES * index, '*'));
        if (!tensor) return [name, taken];
        (tensor.data as Float32Array).set(taken.data as Float32Array);
        return [name, tensor];
      });
      return Object.fromEntries(results);
    } finally {
      for (const handle of handles) module._OrtReleaseTensor(handle);
      for (const copy of copies) this.#free(copy);
      for (const text of strings) module._free(text);
      module.stackRestore(stack);
    }
  }

  #create(type: DataType, bytes: number, dims: readonly number[]): HeapTensor {
    const module = this.#module;
    const data = module._malloc(bytes);
    if (data === 0) throw noRoom(bytes);
    try {
      return { handle: this.#handle(type, data, bytes, dims), data };
    } catch (error) {
      module._free(data);
      throw error;
    }
  }

  /** A tensor over bytes that lie in the heap. */
  #handle(type: DataType, data: number, bytes: number, dims: readonly number[]): number {
    const module = this.#module;
    const stack = module.stackSave();
    const handle = module._OrtCreateTensor(DATA_TYPES[type], data, bytes, this.#pointers(dims), dims.length, ON_CPU);
    module.stackRestore(stack);
    if (handle === 0) throw this.#lastError();
    return handle;
  }

  #copy(tensor: Tensor): HeapTensor {
    const values = tensor.data as Float32Array;
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    const place = this.#create(tensor.type as DataType, bytes.length, tensor.dims);
    this.#module.HEAPU8.set(bytes, place.data);
    return place;
  }

  /** Copies a float32 output out of the heap and releases it there. */
  #take(handle: number): Tensor {
    const module = this.#module;
    const stack = module.stackSave();
    try {
      const fields = module.stackAlloc(4 * POINTER_BYTES);
      const field = (index: number) => fields + index * POINTER_BYTES;
      if (module._OrtGetTensorData(handle, field(0), field(1), field(2), field(3)) !== 0) throw this.#lastError();
      const [data, shape, rank] = [1, 2, 3].map((index) => module.getValue(field(index), '*'));
      const dims = Array.from({ length: rank! }, (_, i) => module.getValue(shape! + POINTER_BYTES * i, 'i32'));
      module._OrtFree(shape!);
      const size = dims.reduce((product, dim) => product * dim, 1);
      const values = new Float32Array(module.HEAPU8.buffer, data!, size).slice();
      return new this.#ort.Tensor('float32', values, dims);
    } finally {
      module._OrtReleaseTensor(handle);
      module.stackRestore(stack);
    }
  }

  #free({ handle, data }: HeapTensor): void {
    this.#module._OrtReleaseTensor(handle);
    this.#module._free(data);
  }

  /** On the stack. */
  #pointers(values: readonly number[]): number {
    const array = this.#module.stackAlloc(POINTER_BYTES * values.length);
    for (const [index, value] of values.entries()) this.#module.setValue(array + POINTER_BYTES * index, value, '*');
    return array;
  }

  #text(text: string): number {
    const bytes = this.#module.lengthBytesUTF8(text) + 1;
    const pointer = this.#module._malloc(bytes);
    this.#module.stringToUTF8(text, pointer, bytes);
    return pointer;
  }

  #lastError(): Error {
    const module = this.#module;
    const stack = module.stackSave();
    const fields = module.stackAlloc(2 * POINTER_BYTES);
    module._OrtGetLastError(fields, fields + POINTER_BYTES);
    const message = module.UTF8ToString(module.getValue(fields + POINTER_BYTES, '*'));
    module.stackRestore(stack);
    return new Error(message);
  }
}

function noRoom(bytes: number): RangeError {
  return new RangeError(`the WASM heap has no room for ${bytes} bytes`);
}

/** onnxruntime-web's sessions are known by the engine's handle, which its handler keeps. */
function handleOf(session: InferenceSession): number {
  const { handler } = session as unknown as { handler?: { sessionId?: number } };
  if (typeof handler?.sessionId !== 'number') throw new Error('this onnxruntime-web keeps its sessions elsewhere');
  return handler.sessionId;
}
