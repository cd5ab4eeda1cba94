/** Runs of onnxruntime-web sessions whose KV caches stay in the WASM heap, past and present the same bytes. */
import type { InferenceSession, Tensor } from 'onnxruntime-common';
import { DATA_TYPES, type DataType } from '../../shared/graph/onnx.ts';
import type { Ort } from '../../shared/runtime/ort.ts';
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

  /** Runs `session`: what is fed or fetched of this heap's tensors is used in place, everything else is copied. */
  async run(
    session: InferenceSession,
    feeds: Readonly<Record<string, Tensor>>,
    fetches: Readonly<Record<string, Tensor | null>>,
  ): Promise<Record<string, Tensor>> {
    const module = this.#module;
    const stack = module.stackSave();
    const copies: HeapTensor[] = [];
    const strings: number[] = [];
    const copied = (tensor: Tensor) => {
      const copy = this.#copy(tensor);
      copies.push(copy);
      return copy;
    };
    const names = (of: object) => {
      const texts = Object.keys(of).map((name) => this.#text(name));
      strings.push(...texts);
      return this.#pointers(texts);
    };
    try {
      const inputs = Object.values(feeds).map((tensor) => this.#tensors.get(tensor) ?? copied(tensor));
      const given = Object.values(fetches).map((tensor) => (tensor ? this.#tensors.get(tensor)!.handle : 0));
      const outputs = this.#pointers(given);
      const code = await module._OrtRun(
        handleOf(session),
        names(feeds),
        this.#pointers(inputs.map(({ handle }) => handle)),
        inputs.length,
        names(fetches),
        given.length,
        outputs,
        NO_OPTIONS,
      );
      if (code !== 0) throw this.#lastError();
      const results = Object.entries(fetches).map(([name, tensor], index): [string, Tensor] => [
        name,
        tensor ?? this.#take(module.getValue(outputs + POINTER_BYTES * index, '*')),
      ]);
      return Object.fromEntries(results);
    } finally {
      for (const copy of copies) this.#free(copy);
      for (const text of strings) module._free(text);
      module.stackRestore(stack);
    }
  }

  #create(type: DataType, bytes: number, dims: readonly number[]): HeapTensor {
    const module = this.#module;
    const data = module._malloc(bytes);
    if (data === 0) throw new RangeError(`the WASM heap has no room for ${bytes} bytes`);
    const stack = module.stackSave();
    const handle = module._OrtCreateTensor(DATA_TYPES[type], data, bytes, this.#pointers(dims), dims.length, ON_CPU);
    module.stackRestore(stack);
    if (handle === 0) {
      module._free(data);
      throw this.#lastError();
    }
    return { handle, data };
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

/** onnxruntime-web's sessions are known by the engine's handle, which its handler keeps. */
function handleOf(session: InferenceSession): number {
  const { handler } = session as unknown as { handler?: { sessionId?: number } };
  if (typeof handler?.sessionId !== 'number') throw new Error('this onnxruntime-web keeps its sessions elsewhere');
  return handler.sessionId;
}
