/** GPT-2 (Radford et al. 2019) for training: shared/graph/gpt2.ts over whole sequences. */
import { headTensor } from '../../graph/family.ts';
import { add } from '../tape/elementwise.ts';
import { gather } from '../tape/indexing.ts';
import { gemm } from '../tape/matrix.ts';
import { layerNorm } from '../tape/normalise.ts';
import { reshape, slice, split } from '../tape/shape.ts';
import type { Tensor } from '../tape/tape.ts';
import { ACTIVATIONS } from './activation.ts';
import { causalAttention } from './attention.ts';
import { DEVIATION, type Forward, type Parameter, residualDeviation, type TrainingFamily } from './family.ts';
import { linearLayer } from './lora.ts';

const EMBEDDING = 'transformer.wte.weight';
const POSITIONS = 'transformer.wpe.weight';

export const gpt2: TrainingFamily = {
  parameters(config) {
    const { layers, hiddenSize: d, intermediateSize, vocabSize, maxPositions, tiedHead } = config;
    const wide = { deviation: DEVIATION };
    const residual = { deviation: residualDeviation(config) };
    const block = (layer: number): Parameter[] => {
      const from = `transformer.h.${layer}`;
      return [
        ...norm(`${from}.ln_1`, d),
        ...conv1d(`${from}.attn.c_attn`, d, 3 * d, wide),
        ...conv1d(`${from}.attn.c_proj`, d, d, residual),
        ...norm(`${from}.ln_2`, d),
        ...conv1d(`${from}.mlp.c_fc`, d, intermediateSize, wide),
        ...conv1d(`${from}.mlp.c_proj`, intermediateSize, d, residual),
      ];
    };
    const head = { name: headTensor(config, EMBEDDING), shape: [vocabSize, d], init: wide };
    return [
      { name: EMBEDDING, shape: [vocabSize, d], init: wide },
      { name: POSITIONS, shape: [maxPositions, d], init: wide },
      ...Array.from({ length: layers }, (_, layer) => block(layer)).flat(),
      ...norm('transformer.ln_f', d),
      ...(tiedHead ? [] : [head]),
    ];
  },

  embedding({ g, config, batch, sequence, parameter }, tokens) {
    const { hiddenSize, maxPositions } = config;
    const table = parameter(POSITIONS);
    const places = sequence === maxPositions ? table : slice(g, table, 0, 0, sequence); // [t, d]
    const x = add(g, gather(g, parameter(EMBEDDING), tokens), places); // [b, t, d]
    return reshape(g, x, [batch * sequence, hiddenSize]);
  },

  block(f, layer, x) {
    const { g, config } = f;
    const from = `transformer.h.${layer}`;
    const size = config.hiddenSize;
    const qkv = linear(f, `${from}.attn.c_attn`, normed(f, `${from}.ln_1`, x)); // [n, 3d]
    const [q, k, v] = split(g, qkv, [size, size, size], 1);
    const attended = add(g, x, linear(f, `${from}.attn.c_proj`, causalAttention(f, q!, k!, v!)));
    const wide = linear(f, `${from}.mlp.c_fc`, normed(f, `${from}.ln_2`, attended)); // [n, f]
    const active = ACTIVATIONS[config.activation](g, wide);
    return add(g, attended, linear(f, `${from}.mlp.c_proj`, active));
  },

  head(f, x) {
    const weight = f.parameter(headTensor(f.config, EMBEDDING));
    return gemm(f.g, normed(f, 'transformer.ln_f', x), weight, undefined, { transB: true });
  },
};

function normed({ g, config, parameter }: Forward, from: string, x: Tensor): Tensor {
  return layerNorm(g, x, parameter(`${from}.weight`), parameter(`${from}.bias`), config.normEpsilon);
}

function linear(f: Forward, from: string, x: Tensor): Tensor {
  return linearLayer(f, x, `${from}.weight`, `${from}.bias`);
}

function norm(from: string, size: number): Parameter[] {
  return [
    { name: `${from}.weight`, shape: [size], init: { constant: 1 } },
    { name: `${from}.bias`, shape: [size], init: { constant: 0 } },
  ];
}

function conv1d(from: string, inSize: number, outSize: number, init: Parameter['init']): Parameter[] {
  return [
    { name: `${from}.weight`, shape: [inSize, outSize], init },
    { name: `${from}.bias`, shape: [outSize], init: { constant: 0 } },
  ];
}
