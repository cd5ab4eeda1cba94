import { expect, test } from 'vitest';
import { parseConfig } from '../model/config.ts';
import { memorySource } from '../model/memory-source.ts';
import { loadTextCodec } from '../model/text.ts';
import { openWeights } from '../model/weights.ts';
import { characterTokenizer } from './characters.ts';
import { configJson, safetensorsHeader } from './hugging-face.ts';
import type { Parameter } from './model/family.ts';
import { PRESETS } from './presets.ts';

const scaling = { factor: 8, lowFrequencyFactor: 1, highFrequencyFactor: 4, originalMaxPositions: 32 };
const CONFIGS = {
  ...PRESETS,
  'with special tokens': { ...PRESETS['gpt2-124m'], bosToken: 7, eosTokens: [8, 9], tiedHead: false },
  'with scaled RoPE': { ...PRESETS['ailo-guide'], rope: { theta: 5000, scaling } },
  qwen2: { ...PRESETS['ailo-guide'], family: 'qwen2' as const },
};

test.each(Object.entries(CONFIGS))('the configuration of %s is read back as it was', (_, config) => {
  expect(parseConfig(JSON.parse(JSON.stringify(configJson(config))))).toEqual(config);
});

test('the tensors of a file are where its header says', async () => {
  const parameters: Parameter[] = [
    { name: 'a', shape: [2, 2], init: { constant: 0 } },
    { name: 'bias', shape: [3], init: { constant: 0 } },
  ];
  const header = safetensorsHeader(parameters);
  const data = new Uint8Array(Float32Array.of(1, 2, 3, 4, 5, 6, 7).buffer);
  const weights = await openWeights(memorySource({ 'model.safetensors': Uint8Array.of(...header, ...data) }));
  expect(weights.info('a').shape).toEqual([2, 2]);
  expect([...(await weights.readFloat32('bias'))]).toEqual([5, 6, 7]);
});

test('a tokenizer of characters gives every character its own token and gets the text back', async () => {
  const text = 'Ein Fuchs,\n\n ein 🦊!\tFin.';
  const { json, vocabSize } = characterTokenizer(text);
  const codec = await loadTextCodec(memorySource({ 'tokenizer.json': new TextEncoder().encode(JSON.stringify(json)) }));
  const ids = codec.encodePrompt(text);
  expect(ids).toHaveLength([...text].length);
  expect(Math.max(...ids)).toBe(vocabSize - 1);
  expect(codec.decode(ids)).toBe(text);
});
