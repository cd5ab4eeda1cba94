/**
 * The binaries of onnxruntime-web that the one script (`onnxruntime-web/webgpu`) is used with. The WebGPU provider needs
 * asyncify, which makes the CPU kernels of its build slower: a GPT-2 124M in int8 prefills 100 tokens in 1.1 s with it,
 * in 0.3 s without.
 */
export const ORT_BUILDS = {
  webgpu: 'ort-wasm-simd-threaded.asyncify',
  wasm: 'ort-wasm-simd-threaded',
};

/** Loads the `wasm` build and keeps hold of it: `ort-module.ts`, bundled. */
export const ORT_MODULE = 'ort-module.js';
