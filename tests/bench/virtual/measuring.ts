/** An engine and files that count what passes through them. */
import type { TensorEngine } from '../../../shared/runtime/tensor-engine.ts';
import { matMul } from '../../../shared/train/tape/matrix.ts';
import { Tape } from '../../../shared/train/tape/tape.ts';
import type { Files } from '../../../shared/train/virtual/files.ts';

export interface Counts {
  beganMs: number;
  bytesRead: number;
  bytesWritten: number;
  computeMs: number;
  /** Until the gradients were there, and of that in which the engine ran. */
  gradientMs: number;
  gradientComputeMs: number;
  /** That measuring took, which is no part of what is measured. */
  measuringMs: number;
  matmulGflops: number[];
}

export function countingFiles(files: Files, counts: Counts): Files {
  const nowMs = () => performance.now() - counts.beganMs - counts.measuringMs;
  return {
    ...files,
    async open(name) {
      const file = await files.open(name);
      return {
        ...file,
        read(at, into) {
          counts.bytesRead += into.length;
          return file.read(at, into);
        },
        write(at, bytes) {
          counts.bytesWritten += bytes.length;
          return file.write(at, bytes);
        },
        flush() {
          // The gradients are flushed when all are there.
          if (name === 'gradients') Object.assign(counts, { gradientMs: nowMs(), gradientComputeMs: counts.computeMs });
          return file.flush();
        },
      };
    },
  };
}

/** Measures the plain product now and then between runs, so that both see the machine in the same state. */
export function measuringEngine(engine: TensorEngine, counts: Counts, measure: () => Promise<number>, everyMs: number) {
  let lastMs = performance.now();
  return {
    ...engine,
    async load(onnx: Uint8Array) {
      const graph = await engine.load(onnx);
      const run: typeof graph.run = async (inputs, into) => {
        const beganMs = performance.now();
        const outputs = await graph.run(inputs, into);
        const endMs = performance.now();
        counts.computeMs += endMs - beganMs;
        if (endMs - lastMs > everyMs) {
          counts.matmulGflops.push(await measure());
          lastMs = performance.now();
          counts.measuringMs += lastMs - endMs;
        }
        return outputs;
      };
      return { ...graph, run };
    },
  } satisfies TensorEngine;
}

/** A function that gives GFLOP/s of the product [rows, inner] · [inner, columns], in the engine's memory. */
export async function plainProduct(
  engine: TensorEngine,
  [rows, inner, columns]: [number, number, number],
  runs: number,
): Promise<() => Promise<number>> {
  const g = new Tape();
  g.output(matMul(g, g.input('a', [rows, inner]), g.input('b', [inner, columns])), 'c');
  const graph = await engine.load(g.encode());
  const values = (shape: number[]) => {
    const { values } = engine.allocate(shape[0]! * shape[1]!);
    return { data: values.fill(0.01), shape };
  };
  const inputs = { a: values([rows, inner]), b: values([inner, columns]) };
  const into = { c: values([rows, columns]) };
  await graph.run(inputs, into);
  return async () => {
    const beganMs = performance.now();
    for (let run = 0; run < runs; run++) await graph.run(inputs, into);
    return (runs * 2 * rows * inner * columns) / (performance.now() - beganMs) / 1e6;
  };
}
