/** The models that Ailo is made for: where they come from, on what terms, and the room that each is meant for. */
import type { Quant } from '../graph/types.ts';
import type { ModelConfig } from './types.ts';

export interface CatalogueEntry {
  /** As it is served, and as `ailo model add` takes it. */
  id: string;
  /** For people. */
  name: string;
  /** On the Hugging Face hub, at the commit that was looked at. Absent: a shape to plan with, of which there are no weights. */
  source?: { repo: string; revision: string };
  /** SPDX where it has such a name. */
  licence: string;
  /** Whether the hub gives it only to who accepted its terms there: a token is needed. */
  gated: boolean;
  config: ModelConfig;
  room: { nodes: number; quant: Quant; contextLength: number };
}

type Sizes = Pick<
  ModelConfig,
  'layers' | 'hiddenSize' | 'intermediateSize' | 'heads' | 'kvHeads' | 'vocabSize' | 'maxPositions'
>;

function llamaLike(
  family: 'llama' | 'qwen2' | 'mixtral',
  sizes: Sizes,
  rest: Pick<ModelConfig, 'rope' | 'eosTokens'> & Partial<ModelConfig>,
): ModelConfig {
  const headDim = sizes.hiddenSize / sizes.heads;
  return { ...sizes, headDim, family, normEpsilon: 1e-5, activation: 'silu', tiedHead: false, ...rest };
}

function gpt2(layers: number): ModelConfig {
  return {
    ...{ family: 'gpt2', layers, hiddenSize: 768, intermediateSize: 3072, heads: 12, kvHeads: 12, headDim: 64 },
    ...{ vocabSize: 50_257, maxPositions: 1024, normEpsilon: 1e-5, activation: 'gelu_tanh', tiedHead: true },
    ...{ bosToken: 50_256, eosTokens: [50_256] },
  };
}

const LLAMA_2_TERMS = 'Llama 2 Community License';

export const CATALOGUE: readonly CatalogueEntry[] = [
  {
    id: 'distilgpt2',
    name: 'DistilGPT-2',
    source: { repo: 'distilbert/distilgpt2', revision: '2290a62682d06624634c1f46a6ad5be0f47f38aa' },
    licence: 'Apache-2.0',
    gated: false,
    config: gpt2(6),
    room: { nodes: 1, quant: 'int8', contextLength: 1024 },
  },
  {
    id: 'gpt2',
    name: 'GPT-2',
    source: { repo: 'openai-community/gpt2', revision: '607a30d783dfa663caf39e06633721c8d4cfcd7e' },
    licence: 'MIT',
    gated: false,
    config: gpt2(12),
    room: { nodes: 1, quant: 'int8', contextLength: 1024 },
  },
  {
    id: 'SmolLM2-135M-Instruct',
    name: 'SmolLM2 135M',
    source: {
      repo: 'HuggingFaceTB/SmolLM2-135M-Instruct',
      revision: '12fd25f77366fa6b3b4b768ec3050bf629380bac',
    },
    licence: 'Apache-2.0',
    gated: false,
    config: llamaLike(
      'llama',
      {
        ...{ layers: 30, hiddenSize: 576, intermediateSize: 1536, heads: 9, kvHeads: 3 },
        ...{ vocabSize: 49_152, maxPositions: 8192 },
      },
      { rope: { theta: 100_000 }, tiedHead: true, bosToken: 1, eosTokens: [2] },
    ),
    room: { nodes: 1, quant: 'int8', contextLength: 2048 },
  },
  {
    id: 'Qwen2.5-0.5B-Instruct',
    name: 'Qwen2.5 0.5B',
    source: { repo: 'Qwen/Qwen2.5-0.5B-Instruct', revision: '7ae557604adf67be50417f59c2c2f167def9a775' },
    licence: 'Apache-2.0',
    gated: false,
    config: llamaLike(
      'qwen2',
      {
        ...{ layers: 24, hiddenSize: 896, intermediateSize: 4864, heads: 14, kvHeads: 2 },
        ...{ vocabSize: 151_936, maxPositions: 32_768 },
      },
      {
        ...{ rope: { theta: 1_000_000 }, normEpsilon: 1e-6, tiedHead: true },
        ...{ bosToken: 151_643, eosTokens: [151_645, 151_643] },
      },
    ),
    room: { nodes: 2, quant: 'int8', contextLength: 2048 },
  },
  {
    id: 'Qwen1.5-1.8B-Chat',
    name: 'Qwen1.5 1.8B',
    source: { repo: 'Qwen/Qwen1.5-1.8B-Chat', revision: 'e482ee3f73c375a627a16fdf66fd0c8279743ca6' },
    licence: 'Tongyi Qianwen Research License',
    gated: false,
    config: llamaLike(
      'qwen2',
      {
        ...{ layers: 24, hiddenSize: 2048, intermediateSize: 5504, heads: 16, kvHeads: 16 },
        ...{ vocabSize: 151_936, maxPositions: 32_768 },
      },
      { rope: { theta: 1_000_000 }, normEpsilon: 1e-6, bosToken: 151_643, eosTokens: [151_645] },
    ),
    room: { nodes: 4, quant: 'int8', contextLength: 2048 },
  },
  {
    id: 'Llama-2-7b-chat-hf',
    name: 'Llama 2 7B',
    source: { repo: 'meta-llama/Llama-2-7b-chat-hf', revision: 'f5db02db724555f92da89c216ac04704f23d4590' },
    licence: LLAMA_2_TERMS,
    gated: true,
    config: llamaLike(
      'llama',
      {
        ...{ layers: 32, hiddenSize: 4096, intermediateSize: 11_008, heads: 32, kvHeads: 32 },
        ...{ vocabSize: 32_000, maxPositions: 4096 },
      },
      { rope: { theta: 10_000 }, bosToken: 1, eosTokens: [2] },
    ),
    room: { nodes: 12, quant: 'int8', contextLength: 2048 },
  },
  {
    id: 'Llama-2-70b-chat-hf',
    name: 'Llama 2 70B',
    source: { repo: 'meta-llama/Llama-2-70b-chat-hf', revision: 'e9149a12809580e8602995856f8098ce973d1080' },
    licence: LLAMA_2_TERMS,
    gated: true,
    config: llamaLike(
      'llama',
      {
        ...{ layers: 80, hiddenSize: 8192, intermediateSize: 28_672, heads: 64, kvHeads: 8 },
        ...{ vocabSize: 32_000, maxPositions: 4096 },
      },
      { rope: { theta: 10_000 }, bosToken: 1, eosTokens: [2] },
    ),
    room: { nodes: 120, quant: 'int8', contextLength: 2048 },
  },
  {
    id: 'Llama-3.1-405B-Instruct',
    name: 'Llama 3.1 405B',
    source: { repo: 'meta-llama/Llama-3.1-405B-Instruct', revision: 'be673f326cab4cd22ccfef76109faf68e41aa5f1' },
    licence: 'Llama 3.1 Community License',
    gated: true,
    config: llamaLike(
      'llama',
      {
        ...{ layers: 126, hiddenSize: 16_384, intermediateSize: 53_248, heads: 128, kvHeads: 8 },
        ...{ vocabSize: 128_256, maxPositions: 131_072 },
      },
      {
        rope: {
          theta: 500_000,
          scaling: { factor: 8, lowFrequencyFactor: 1, highFrequencyFactor: 4, originalMaxPositions: 8192 },
        },
        bosToken: 128_000,
        eosTokens: [128_001, 128_008, 128_009],
      },
    ),
    room: { nodes: 256, quant: 'int8', contextLength: 2048 },
  },
  {
    id: 'moe-600b',
    name: 'Mixture of experts, 600B',
    licence: 'none: a shape without weights',
    gated: false,
    config: llamaLike(
      'mixtral',
      {
        ...{ layers: 104, hiddenSize: 8192, intermediateSize: 28_672, heads: 64, kvHeads: 8 },
        ...{ vocabSize: 32_000, maxPositions: 32_768 },
      },
      { rope: { theta: 1_000_000 }, experts: { count: 8, perToken: 2 }, bosToken: 1, eosTokens: [2] },
    ),
    room: { nodes: 512, quant: 'int8', contextLength: 2048 },
  },
];

/** By its id, or by its repository on the hub; both without regard to case. */
export function inCatalogue(name: string): CatalogueEntry | undefined {
  const wanted = name.toLowerCase();
  return CATALOGUE.find(({ id, source }) => id.toLowerCase() === wanted || source?.repo.toLowerCase() === wanted);
}
