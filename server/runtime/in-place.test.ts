import type * as OnnxRuntimeNode from 'onnxruntime-node';
import { expect, test } from 'vitest';
import { GraphBuilder } from '../../shared/graph/builder.ts';
import { encodeOnnx } from '../../shared/graph/onnx.ts';
import { createSession } from '../../shared/runtime/ort.ts';
import { memoryStaging } from '../../shared/runtime/staging.ts';
import { inPlace } from './in-place.ts';
import { ort } from './onnxruntime.ts';

function doubling(): Uint8Array {
  const g = new GraphBuilder({ quant: 'f32', contextLength: 1 });
  const x = g.input('x', 'float32', [1, 'rows', 2]);
  g.output(g.add(x, x), 'y', [1, 'rows', 2]);
  g.output(g.mul(x, x), 'z', [1, 'rows', 2]);
  return encodeOnnx(g.graph);
}

const tensor = (...values: number[]) => new ort.Tensor('float32', values, [1, values.length / 2, 2]);

/** The binding with a note of what became of each run. */
function noting(outcomes: string[]): typeof ort {
  return {
    ...ort,
    InferenceSession: {
      async create(model: Uint8Array, options: OnnxRuntimeNode.InferenceSession.SessionOptions) {
        const session = await ort.InferenceSession.create(model, options);
        return {
          inputNames: session.inputNames,
          outputNames: session.outputNames,
          release: () => session.release(),
          run: (
            feeds: OnnxRuntimeNode.InferenceSession.FeedsType,
            fetches: OnnxRuntimeNode.InferenceSession.FetchesType,
          ) =>
            session.run(feeds, fetches).then(
              (outputs) => {
                outcomes.push('copied');
                return outputs;
              },
              (error) => {
                outcomes.push('written');
                throw error;
              },
            ),
        };
      },
    },
  } as unknown as typeof ort;
}

test('what is given for outputs is written into and handed back, without a copy of it', async () => {
  const outcomes: string[] = [];
  const session = await createSession(inPlace(noting(outcomes)), doubling(), memoryStaging(), {});
  const [y, z] = [tensor(0, 0, 0, 0), tensor(0, 0, 0, 0)];
  const outputs = await session.run({ x: tensor(1, 2, 3, 4) }, { y, z });
  expect(outputs.y).toBe(y);
  expect([...(z.data as Float32Array)]).toEqual([1, 4, 9, 16]);
  expect([...(y.data as Float32Array)]).toEqual([2, 4, 6, 8]);
  expect(outcomes).toEqual(['written']);
  await session.release();
});

test('what is not given is made by the engine, and an error is still one', async () => {
  const session = await createSession(inPlace(ort), doubling(), memoryStaging(), { logSeverityLevel: 4 });
  const all = await session.run({ x: tensor(1, 2) });
  expect(Object.keys(all)).toEqual(['y', 'z']);
  const { z } = await session.run({ x: tensor(5, 6) }, { z: null });
  expect([...(z!.data as Float32Array)]).toEqual([25, 36]);
  await expect(session.run({ x: tensor(1, 2) }, { y: tensor(0, 0, 0, 0) })).rejects.toThrow();
  await session.release();
});
