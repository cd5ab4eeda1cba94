import type { StageGraph } from '../graph/types.ts';
import type { ReadWeights } from '../runtime/ort-runtime.ts';
import { rowsOut, widthOf } from '../runtime/ort-stage.ts';
import type { StageBody } from '../runtime/stage.ts';
import { logitsOf, rowsOf } from '../runtime/step.ts';
import type { StageOutput, StageStep } from '../runtime/types.ts';
import { instantiate, type KernelExports } from './instantiate.ts';
import { CONTROL, INSTRUCTION_WORDS, LANES, PAGE_BYTES, PANEL } from './layout.ts';
import { writePanels } from './panels.ts';
import { align, type Program } from './program.ts';

/** What a thread needs to serve a stage: see `assembly/index.ts`. */
export interface ThreadWork {
  module: WebAssembly.Module;
  memory: WebAssembly.Memory;
  /** 1 and on; the caller's own is 0. */
  thread: number;
}

/** Starts a thread that calls `serve`; resolves when it is there. */
export type StartThread = (work: ThreadWork) => Promise<{ terminate(): void }>;

export interface Kernels {
  module: WebAssembly.Module;
  threads: number;
  startThread: StartThread;
}

/** A stage of int8 weights in a memory of its own. A cache is the number of its place there. */
export class KernelStage implements StageBody<number> {
  readonly #graph: StageGraph;
  readonly #program: Program;
  readonly #memory: WebAssembly.Memory;
  readonly #exports: KernelExports;
  readonly #threads: readonly { terminate(): void }[];
  readonly #cachesAt: number;
  readonly #freeCaches: number[];

  private constructor(
    graph: StageGraph,
    program: Program,
    from: { memory: WebAssembly.Memory; exports: KernelExports; threads: { terminate(): void }[]; caches: Caches },
  ) {
    this.#graph = graph;
    this.#program = program;
    this.#memory = from.memory;
    this.#exports = from.exports;
    this.#threads = from.threads;
    this.#cachesAt = from.caches.at;
    this.#freeCaches = Array.from({ length: from.caches.count }, (_, index) => index);
  }

  /** Reads the weights one by one into the memory, and starts the threads. */
  static async open(
    graph: StageGraph,
    program: Program,
    { module, threads, startThread }: Kernels,
    { weights, maxSequences }: { weights: ReadWeights; maxSequences: number },
  ): Promise<KernelStage> {
    const scratchBytes = align(4 * Math.max(PANEL, graph.contextLength + LANES));
    const caches = { at: program.bytes + threads * scratchBytes, count: maxSequences };
    const memory = memoryOf(caches.at + maxSequences * program.cacheBytes);
    new Uint32Array(memory.buffer).set(program.words, program.start / 4);
    const control: Partial<Record<keyof typeof CONTROL, number>> = {
      ...{ threads, program: program.start, instructions: program.words.length / INSTRUCTION_WORDS },
      ...{ scratch: program.bytes, scratchBytes },
    };
    writeControl(memory, control);
    for await (const { name, bytes } of weights) place(memory, program, name, bytes);
    const others = Array.from({ length: threads - 1 }, (_, index) =>
      startThread({ module, memory, thread: index + 1 }),
    );
    const from = { memory, exports: instantiate(module, memory), threads: await Promise.all(others), caches };
    return new KernelStage(graph, program, from);
  }

  openCache(): number {
    return this.#freeCaches.pop()!;
  }

  closeCache(cache: number): void {
    this.#freeCaches.push(cache);
  }

  /** One step after the other: what comes of a row does not depend on it, and the products of rows are not shared. */
  async compute(steps: readonly StageStep[], caches: readonly number[]): Promise<StageOutput[]> {
    return steps.map((step, index) => this.#compute(step, caches[index]!));
  }

  #compute(step: StageStep, cache: number): StageOutput {
    const { input, position } = step;
    const { buffer } = this.#memory;
    const { inputs, output, words, cacheBytes } = this.#program;
    const rows = rowsOf(input);
    if (input.kind === 'tokens') new Int32Array(buffer, inputs.tokens, rows).set(input.ids);
    else new Float32Array(buffer, inputs.hidden, input.data.length).set(input.data);
    if (inputs.positions !== undefined) {
      new Int32Array(buffer, inputs.positions, rows).set(Array.from({ length: rows }, (_, row) => position + row));
    }
    new Int32Array(buffer, CONTROL.tasks, words.length / INSTRUCTION_WORDS).fill(0);
    const meetingsBefore = new Int32Array(buffer, CONTROL.meetings, 1)[0]!;
    writeControl(this.#memory, {
      rows,
      logitRows: logitsOf(step),
      position,
      meetingsBefore,
      cache: this.#cachesAt + cache * cacheBytes,
    });
    if (this.#threads.length > 0) this.#exports.wake();
    this.#exports.run(0);
    // A copy: the memory is shared, and the next step writes there.
    const rowCount = rowsOut(this.#graph, step);
    const data = new Float32Array(buffer, output, rowCount * widthOf(this.#graph)).slice();
    return { kind: this.#graph.gives, rows: rowCount, data };
  }

  async release(): Promise<void> {
    writeControl(this.#memory, { stop: 1 });
    this.#exports.wake();
    for (const thread of this.#threads) thread.terminate();
  }
}

interface Caches {
  at: number;
  count: number;
}

/** Of fixed size, and shared also where there is one thread: the kernels are compiled for that. */
function memoryOf(bytes: number): WebAssembly.Memory {
  const pages = Math.ceil(bytes / PAGE_BYTES);
  return new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true });
}

function writeControl(memory: WebAssembly.Memory, values: Partial<Record<keyof typeof CONTROL, number>>): void {
  const words = new Uint32Array(memory.buffer);
  for (const [name, value] of Object.entries(values)) words[CONTROL[name as keyof typeof CONTROL] / 4] = value;
}

function place(memory: WebAssembly.Memory, { placements }: Program, name: string, bytes: Uint8Array): void {
  for (const placement of placements.get(name) ?? []) {
    const { at, offset } = placement;
    if (placement.kind === 'copy') {
      new Uint8Array(memory.buffer, at, placement.bytes).set(bytes.subarray(offset, offset + placement.bytes));
    } else {
      const { inSize, outSize } = placement;
      const values = new Int8Array(bytes.buffer, bytes.byteOffset + offset, inSize * outSize);
      writePanels(new Int8Array(memory.buffer, at), values, inSize, outSize);
    }
  }
}
