import { create, toBinary } from '@bufbuild/protobuf';
import type { Tensor } from 'onnxruntime-common';
import type * as OnnxRuntimeNode from 'onnxruntime-node';
import { ModelProtoSchema } from '../../shared/graph/onnx_pb.ts';
import type { Ort } from '../../shared/runtime/ort.ts';

/** An output of every graph that the binding can't hand back, since it is no tensor. */
const LAST = 'written';
/** What it says instead. */
const NOT_HANDED_BACK = 'Non tensor type is temporarily not supported.';
const INT64 = 7;

/**
 * onnxruntime-node writes into the tensors that it is given for outputs, but then hands back a copy of each: of KV caches
 * that is their whole length, at every step (16 heads of 128, 2048 positions: 6 ms a layer instead of 0.06). Nothing switches that
 * off; but the copies are made in the order of the graph's outputs, after everything has been computed, and the first
 * output that can't be handed back ends it. So each graph gets such an output as its first, which is asked for where
 * there is memory for all others. If a version of the binding hands it back, what is given is right all the same.
 */
export function inPlace({ InferenceSession, Tensor }: typeof OnnxRuntimeNode): Ort {
  return {
    Tensor,
    InferenceSession: {
      async create(model, options) {
        const session = await InferenceSession.create(withLast(model), options);
        const outputNames = session.outputNames.filter((name) => name !== LAST);
        return {
          inputNames: session.inputNames,
          outputNames,
          release: () => session.release(),
          async run(feeds, fetches = allOf(outputNames)) {
            const given = Object.values(fetches).filter((tensor) => tensor !== null);
            if (given.length < Object.keys(fetches).length) return await session.run(feeds, fetches);
            try {
              await session.run(feeds, { [LAST]: null, ...fetches });
            } catch (error) {
              if (!(error instanceof Error && error.message === NOT_HANDED_BACK)) throw error;
            }
            return fetches as Record<string, Tensor>;
          },
        };
      },
    },
  };
}

function allOf(names: string[]): Record<string, null> {
  return Object.fromEntries(names.map((name) => [name, null]));
}

/** Messages in protobuf are joined by joining their bytes: the lists of the first come first. */
function withLast(model: Uint8Array): Uint8Array {
  const item = { name: `${LAST}.item`, dims: [1n], dataType: INT64, rawData: new Uint8Array(8) };
  const before = create(ModelProtoSchema, {
    graph: {
      node: [{ name: LAST, opType: 'SequenceConstruct', input: [item.name], output: [LAST] }],
      initializer: [item],
      output: [{ name: LAST }],
    },
  });
  const first = toBinary(ModelProtoSchema, before);
  const joined = new Uint8Array(first.length + model.length);
  joined.set(first);
  joined.set(model, first.length);
  return joined;
}
