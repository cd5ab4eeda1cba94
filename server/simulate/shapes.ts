/**
 * Models of the catalogue as a simulation runs them: as many layers, heads in the same proportion, narrow matrices. What
 * a token costs then is messages and steps, not arithmetic, so that a small machine stands for hundreds.
 */
import { inCatalogue } from '../../shared/model/catalogue.ts';
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

/** By the names that a simulation is asked for: models of the catalogue. */
const SIMULATED = {
  'qwen1.5-1.8b': 'Qwen1.5-1.8B-Chat',
  'llama-2-7b': 'Llama-2-7b-chat-hf',
  'llama-2-70b': 'Llama-2-70b-chat-hf',
  'llama-3.1-405b': 'Llama-3.1-405B-Instruct',
  'moe-600b': 'moe-600b',
};

export const SHAPES: readonly Shape[] = Object.entries(SIMULATED).map(([id, name]) => {
  const { config, room } = inCatalogue(name)!;
  return { id, nodes: room.nodes, config: narrowed(config) };
});

function narrowed({ family, layers, heads, kvHeads, experts }: ModelConfig): ModelConfig {
  const fewer = WIDTH / HEAD_SIZE;
  return {
    family,
    layers,
    hiddenSize: WIDTH,
    intermediateSize: 2 * WIDTH,
    heads: fewer,
    kvHeads: Math.max(1, Math.round((fewer * kvHeads) / heads)),
    headDim: HEAD_SIZE,
    vocabSize: VOCABULARY,
    maxPositions: MAX_POSITIONS,
    normEpsilon: 1e-5,
    activation: 'silu',
    rope: { theta: 10_000 },
    tiedHead: false,
    // An answer never ends before it is as long as was asked for.
    eosTokens: [],
    ...(experts && { experts }),
  };
}
