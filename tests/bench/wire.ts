/**
 * `npm run bench -- wire --model DIR`: what the formats of activations do to a model's answers. Prompts are beginnings that
 * the model itself makes up; the same answers are then computed greedily over each wire, and every token of the f32 answer
 * is asked for again over the other ones (teacher forcing).
 */
import { totalmem } from 'node:os';
import { type Cli, type Command, choice, integer, string } from '../../server/cli.ts';
import { folderSource } from '../../server/model/folder-source.ts';
import { createNodeRuntime } from '../../server/runtime/node-runtime.ts';
import { type Chain, type ChainOptions, loadChain } from '../../shared/generate/chain.ts';
import { QUANTS } from '../../shared/graph/types.ts';
import { loadConfig } from '../../shared/model/config.ts';
import { loadTextCodec } from '../../shared/model/text.ts';
import { openWeights } from '../../shared/model/weights.ts';
import { MAX_STAGES } from '../../shared/protocol/limits.ts';
import { createSampler } from '../../shared/sampler/sampler.ts';
import { GREEDY, type Sampling } from '../../shared/sampler/types.ts';
import { payloadBytes, WIRE_DTYPES, type WireDtype } from '../../shared/tensor/payload.ts';

/** Long enough that no two are alike: stories begin alike. */
const PROMPT_TOKENS = 32;
const MEMORY_SHARE = 0.5;

export const wire: Command = {
  options: {
    model: { type: 'string', value: 'DIR', description: 'folder of a model in Hugging Face layout (required)' },
    stages: { type: 'string', value: 'K', description: 'parts that the model is split into (4)' },
    quant: { type: 'string', value: 'QUANT', description: `${QUANTS.join(', ')} (f32)` },
    prompts: { type: 'string', value: 'N', description: 'answers that are compared (32)' },
    tokens: { type: 'string', value: 'N', description: 'tokens of each (128)' },
  },

  async run(values, cli) {
    const source = folderSource(string(values, 'model'));
    const config = await loadConfig(source, cli.signal);
    const begin = (await loadTextCodec(source, cli.signal)).encodePrompt('A').slice(0, 1);
    const weights = await openWeights(source, cli.signal);
    const runtime = createNodeRuntime({ budgetBytes: Math.floor(totalmem() * MEMORY_SHARE), threads: 1 });
    const prompts = integer(values, 'prompts', { min: 1, max: 10_000, default: 32 });
    const room = config.maxPositions - PROMPT_TOKENS;
    const tokens = integer(values, 'tokens', { min: 1, max: room, default: Math.min(128, room) });
    const options: ChainOptions = {
      ...{ config, weights, runtime, contextLength: PROMPT_TOKENS + tokens },
      stages: integer(values, 'stages', { min: 1, max: MAX_STAGES, default: 4 }),
      quant: choice(values, 'quant', QUANTS, 'f32'),
    };
    try {
      const wires = await compare(options, begin, prompts, tokens, cli);
      cli.result({ benchmark: 'wire', stages: options.stages, quant: options.quant, prompts, tokens, wires });
    } finally {
      await runtime.close();
    }
  },
};

interface Compared {
  wire: WireDtype;
  rowBytes: number;
  /** Answers that are the f32 answer from the first token to the last. */
  sameAnswers: number;
  /** Of the answers that differ, the places (from 0) of the first token that does: least and median. */
  firstDifference: { least: number; median: number } | undefined;
  /** Of all tokens of the f32 answers, the share that is likeliest over this wire, too, after the same beginning. */
  argmaxAgreement: number;
  largestLogitError: number;
}

async function compare(
  options: ChainOptions,
  begin: number[],
  prompts: number,
  tokens: number,
  cli: Cli,
): Promise<Compared[]> {
  const { hiddenSize } = options.config;
  const exact: { prompt: number[]; answer: Answer }[] = [];
  for (let seed = 1; seed <= prompts; seed++) {
    const madeUp = await answerOf(options, begin, PROMPT_TOKENS - 1, { ...GREEDY, temperature: 1, seed });
    const prompt = [...begin, ...madeUp.tokens];
    exact.push({ prompt, answer: await answerOf(options, prompt, tokens, GREEDY) });
  }
  const results: Compared[] = [];
  for (const wire of WIRE_DTYPES) {
    const differences: number[] = [];
    let [agreed, largestLogitError] = [0, 0];
    for (const { prompt, answer } of exact) {
      const own = await answerOf({ ...options, wire }, prompt, tokens, GREEDY);
      const difference = answer.tokens.findIndex((token, i) => own.tokens[i] !== token);
      if (difference >= 0) differences.push(difference);
      const forced = await answerOf({ ...options, wire }, prompt, tokens, GREEDY, answer.tokens);
      for (const [i, token] of answer.tokens.entries()) {
        if (forced.tokens[i] === token) agreed++;
        largestLogitError = Math.max(largestLogitError, distance(forced.logits[i]!, answer.logits[i]!));
      }
    }
    differences.sort((a, b) => a - b);
    const [least, median] = [differences[0], differences[Math.floor(differences.length / 2)]];
    const compared: Compared = {
      wire,
      rowBytes: payloadBytes(1, hiddenSize, wire),
      sameAnswers: prompts - differences.length,
      firstDifference: least === undefined || median === undefined ? undefined : { least, median },
      argmaxAgreement: agreed / (prompts * tokens),
      largestLogitError,
    };
    cli.print(JSON.stringify(compared));
    results.push(compared);
  }
  return results;
}

interface Answer {
  tokens: number[];
  logits: Float32Array[];
}

/** `forced`: the tokens that follow whatever was chosen. Nothing ends an answer early: every place is compared. */
async function answerOf(
  options: ChainOptions,
  prompt: number[],
  count: number,
  sampling: Sampling,
  forced?: number[],
): Promise<Answer> {
  const chain: Chain = await loadChain(options, undefined);
  try {
    const sampler = createSampler(sampling, prompt);
    const answer: Answer = { tokens: [], logits: [] };
    let position = 0;
    for (let input = prompt; answer.tokens.length < count; ) {
      const logits = await chain.run(position, Int32Array.from(input));
      position += input.length;
      answer.logits.push(logits.slice());
      answer.tokens.push(sampler.next(logits));
      input = [(forced ?? answer.tokens)[answer.tokens.length - 1]!];
    }
    return answer;
  } finally {
    await chain.release();
  }
}

function distance(a: Float32Array, b: Float32Array): number {
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
}
