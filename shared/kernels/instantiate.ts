/** See `assembly/index.ts`. */
export interface KernelExports {
  /** One step, as thread `thread`. */
  run(thread: number): void;
  /** All steps until the stage ends. */
  serve(thread: number): void;
  /** Lets the other threads begin a step. */
  wake(): void;
}

/** The kernels over a stage's memory. */
export function instantiate(module: WebAssembly.Module, memory: WebAssembly.Memory): KernelExports {
  const words = new Int32Array(memory.buffer);
  // WebAssembly's own instructions for this make the baseline compiler of V8 (seen in Node.js 20) lose a local.
  const sleep = {
    sleep: (address: number, value: number) => void Atomics.wait(words, address / 4, value),
    rouse: (address: number) => void Atomics.notify(words, address / 4),
  };
  const { exports } = new WebAssembly.Instance(module, { env: { memory }, sleep });
  return exports as unknown as KernelExports;
}
