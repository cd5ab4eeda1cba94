/**
 * Stands between onnxruntime-web and its WASM module, so that this worker can reach the module's exports: the public API
 * copies every input and output. Bundled on its own, beside onnxruntime's files, and imported by address by both.
 */
// @ts-expect-error The file is onnxruntime-web's own and has no types.
import start from './ort-wasm-simd-threaded.mjs';

/** What is used of the exports (onnxruntime-web's lib/wasm/wasm-types.ts); pointers are byte offsets in the heap. */
export interface OrtModule {
  HEAPU8: Uint8Array;
  stackSave(): number;
  stackRestore(stack: number): void;
  stackAlloc(bytes: number): number;
  getValue(pointer: number, type: '*' | 'i32'): number;
  setValue(pointer: number, value: number, type: '*' | 'i32'): void;
  UTF8ToString(pointer: number): string;
  stringToUTF8(text: string, pointer: number, bytes: number): void;
  lengthBytesUTF8(text: string): number;
  _malloc(bytes: number): number;
  _free(pointer: number): void;
  _OrtFree(pointer: number): number;
  _OrtGetLastError(code: number, message: number): number;
  _OrtCreateTensor(type: number, data: number, bytes: number, dims: number, dimCount: number, location: number): number;
  _OrtGetTensorData(tensor: number, type: number, data: number, dims: number, dimCount: number): number;
  _OrtReleaseTensor(tensor: number): number;
  _OrtRun(
    session: number,
    inputNames: number,
    inputs: number,
    inputCount: number,
    outputNames: number,
    outputCount: number,
    outputs: number,
    options: number,
  ): number | Promise<number>;
}

let made: OrtModule | undefined;

/** The module, once onnxruntime has made its first session. */
export function ortModule(): OrtModule | undefined {
  return made;
}

/** What onnxruntime-web calls in the place of its own factory. */
export default async function factory(options: object): Promise<OrtModule> {
  made = (await start(options)) as OrtModule;
  return made;
}
