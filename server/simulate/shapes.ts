/**
 * Models of the catalogue as a simulation runs them: as many layers, heads in the same proportion, narrow matrices. What
 * a token costs then is messages and steps, not arithmetic, so that a small machine stands for hundreds.
 */
import type { ModelConfig } from '../../shared/model/types.ts';

export interface Shape {
  id: string;
  /** Stages that the catalogue promises it with. */
  nodes: number;
  config: ModelConfig;
}

const WIDTH = 64;
const HEAD_SIZE = 16;
const VOCABULARY = 256;
const MAX_POSITIONS = 4096;

type Figures = Pick<ModelConfig, 'family' | 'layers' | 'kvHeads'> & Partial<ModelConfig>;

function shape(id: string, nodes: number, figures: Figures): Shape {
  const config: ModelConfig = {
    hiddenSize: WIDTH,
    intermediateSize: 2 * WIDTH,
    heads: WIDTH / HEAD_SIZE,
    headDim: HEAD_SIZE,
    vocabSize: VOCABULARY,
    maxPositions: MAX_POSITIONS,
    normEpsilon: 1e-5,
    activation: 'silu',
    rope: { theta: 10_000 },
    tiedHead: false,
    // An answer never ends before it is as long as was asked for.
    eosTokens: [],
    ...figures,
  };
  return { id, nodes, config };
}

export const SHAPES: readonly Shape[] = [
  shape('qwen1.5-1.8b', 4, { family: 'qwen2', layers: 24, kvHeads: 4 }),
  shape('llama-2-7b', 12, { family: 'llama', layers: 32, kvHeads: 4 }),
  shape('llama-2-70b', 120, { family: 'llama', layers: 80, kvHeads: 1 }),
  shape('llama-3.1-405b', 256, { family: 'llama', layers: 126, kvHeads: 1 }),
  shape('mixtral-602b', 512, { family: 'mixtral', layers: 104, kvHeads: 1, experts: { count: 8, perToken: 2 } }),
];
