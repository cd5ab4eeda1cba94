import { expect, test } from 'vitest';
import { memorySource } from '../model/memory-source.ts';
import { loadTextCodec, tokenizerVocabSize } from '../model/text.ts';
import { bpeTokenizer } from './bpe.ts';

const TEXTS = ['the cat and the dog', 'the cat sat', 'a dog sat on the mat'];

async function codecOf(vocabSize: number) {
  const json = bpeTokenizer(TEXTS, ['<|end|>'], vocabSize);
  const bytes = new TextEncoder().encode(JSON.stringify(json));
  return { size: tokenizerVocabSize(bytes), codec: await loadTextCodec(memorySource({ 'tokenizer.json': bytes })) };
}

test('the commonest pieces become tokens, and every text comes back', async () => {
  const { size, codec } = await codecOf(266);
  expect(size).toBe(266);
  expect(codec.encodeText('a cat').length).toBeLessThan('a cat'.length);
  expect(codec.encodeText('the')).toHaveLength(1);
  for (const text of ['the cat', 'Größe “µ” 北京 🎉', "it's  12 o'clock\n"]) {
    expect(codec.decode(codec.encodeText(text))).toBe(text);
  }
});

test('special tokens come first and are never made of text', async () => {
  const { codec } = await codecOf(266);
  expect(codec.encodeText('the<|end|>')).toContain(0);
  expect(codec.encodeText('<|en')).not.toContain(0);
});

test('there are no more tokens than the texts have pairs for', async () => {
  expect((await codecOf(5000)).size).toBeLessThan(300);
});
