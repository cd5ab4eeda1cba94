import { AiloError } from '../errors/index.ts';
import { materialise } from '../graph/materialise.ts';
import { buildStage } from '../graph/stage.ts';
import type { Quant, StageGraph } from '../graph/types.ts';
import type { ModelConfig, WeightReader } from '../model/types.ts';
import { rowsPerStep, stepsOf } from '../node/step.ts';
import { splitModel } from '../plan/division.ts';
import type { LoadedStage, Runtime } from '../runtime/types.ts';
import { decodeFrame, encodeFrame } from '../tensor/frame.ts';
import type { WireDtype } from '../tensor/payload.ts';

/** Frames name a job; here there is only one. */
const JOB = '0'.repeat(32);
const SEQUENCE = 'generate';

export interface ChainOptions {
  config: ModelConfig;
  weights: WeightReader;
  runtime: Runtime;
  stages: number;
  quant: Quant;
  contextLength: number;
  /** How hidden states go from stage to stage; f32 without one. */
  wire?: WireDtype;
}

/** A whole model as stages of one runtime. */
export interface Chain {
  /** Token ids at `position` and on → the logits [vocabSize] after the last of them, good until the next run. */
  run(position: number, ids: Int32Array): Promise<Float32Array>;
  /** Forgets all tokens: the next position is 0. */
  restart(): Promise<void>;
  release(): Promise<void>;
}

interface Link {
  graph: StageGraph;
  stage: LoadedStage;
}

/** Splits the model by cost and loads every stage. Frees what was loaded when one of them fails. */
export async function loadChain(options: ChainOptions, signal: AbortSignal | undefined): Promise<Chain> {
  const { config, weights, runtime, quant, contextLength, wire = 'f32' } = options;
  const ranges = splitModel(config, options.stages);
  const links: Link[] = [];
  const release = async () => {
    for (const { stage } of links) await stage.release();
  };
  try {
    for (const range of ranges) {
      const graph = buildStage(config, range, { quant, contextLength });
      const read = (weight: StageGraph['weights'][number]) => materialise(weight, weights, config, signal);
      const stage = await runtime.load(graph, read, { maxSequences: 1, ...(signal && { signal }) });
      links.push({ graph, stage });
    }
  } catch (error) {
    await release();
    throw error;
  }
  return {
    release,
    async restart() {
      for (const { stage } of links) await stage.drop(SEQUENCE);
    },
    async run(position, ids) {
      const head = { job: JOB, sequence: 0, position, sampleAfter: true };
      const logits = await feed(links, 0, wire, encodeFrame({ ...head, kind: 'tokens', ids }));
      if (!logits) throw AiloError.of('ENGINE_FAILED', { reason: 'the last stage gave no logits' });
      return logits;
    },
  };
}

/** Runs a frame through the stages from `index` on; gives the logits that are to be sampled. */
async function feed(
  links: Link[],
  index: number,
  wire: WireDtype,
  data: Uint8Array,
): Promise<Float32Array | undefined> {
  const { graph, stage } = links[index]!;
  let logits: Float32Array | undefined;
  for (const { position, input, sampleAfter } of stepsOf(decodeFrame(data), graph, rowsPerStep(graph, wire))) {
    const [output] = await stage.run([{ sequence: SEQUENCE, position, input, logits: sampleAfter ? 1 : 0 }]);
    if (!output) continue;
    if (output.kind === 'hidden') {
      const frame = { job: JOB, sequence: 0, position, sampleAfter, ...output };
      logits = await feed(links, index + 1, wire, encodeFrame(frame, wire));
    } else if (sampleAfter) {
      logits = output.data;
    }
  }
  return logits;
}
