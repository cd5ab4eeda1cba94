import { existsSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { memorySource } from './testing.ts';
import { loadTextCodec } from './text.ts';
import type { TextCodec } from './types.ts';

const shared = new URL('../../../shared/', import.meta.url);
const load = (folder: string, more: Record<string, string> = {}) => {
  const read = (file: string) => readFileSync(new URL(`${folder}/${file}`, shared), 'utf8');
  const names = ['tokenizer.json', 'tokenizer_config.json'];
  return loadTextCodec(memorySource({ ...Object.fromEntries(names.map((name) => [name, read(name)])), ...more }));
};

describe.skipIf(!existsSync(shared))('real tokenizers (need ../shared)', () => {
  const codecs: Record<string, TextCodec> = {};
  beforeAll(async () => {
    codecs.stories = await load('models/stories260k');
    codecs.gpt2 = await load('tokenizers/gpt2');
    codecs.qwen = await load('tokenizers/qwen2.5');
  });

  // Four people joined: 25 bytes, many tokens, one character.
  const family = '👨‍👩‍👧‍👦';
  it.each([
    ['stories', 'Once upon a time', [1, 403, 407, 261, 378]],
    ['gpt2', 'Hello world', [15496, 995]],
    ['gpt2', 'Hello  world\n\n', [15496, 220, 995, 628]],
    ['qwen', 'Hello world', [9707, 1879]],
    ['qwen', '<|im_end|>\n', [151_645, 198]],
  ])('%s encodes “%s”', (name, text, ids) => {
    expect(codecs[name]!.encodePrompt(text)).toEqual(ids);
  });

  it.each(['stories', 'gpt2', 'qwen'])('%s returns every text', (name) => {
    const codec = codecs[name]!;
    const texts = [
      family,
      '你好，世界。',
      'naïve café',
      ' leading',
      'trailing ',
      '\ttabs\n\nlines\r\n',
      '   ',
      '\u{10FFFF}x',
      '�',
    ];
    for (const text of texts) expect(codec.decode(codec.encodePrompt(text))).toBe(text);
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1 }), (raw) => {
        // Byte-fallback tokens cannot spell a special token or a byte's name, nor Qwen a text that is not NFC.
        const text = raw.normalize('NFC');
        fc.pre(!/<|▁|\ufeff/.test(text));
        expect(codec.decode(codec.encodePrompt(text))).toBe(text);
      }),
    );
  });

  it.each(['stories', 'gpt2', 'qwen'])('%s streams what it decodes, never a half character', (name) => {
    const codec = codecs[name]!;
    const anyIds = fc.array(fc.nat(name === 'stories' ? 511 : 50_000), { maxLength: 40 });
    fc.assert(
      fc.property(anyIds, anyIds, (prompt, ids) => {
        const stream = codec.stream(prompt);
        const pieces = ids.map((id) => stream.push(id));
        for (const piece of pieces) expect(piece.endsWith('\ufffd')).toBe(false);
        expect(pieces.join('') + stream.end()).toBe(codec.decode(ids, prompt));
      }),
      { numRuns: 500 },
    );
    const ids = codec.encodePrompt(`a ${family} b`);
    const stream = codec.stream([]);
    const pieces = [...ids.map((id) => stream.push(id)), stream.end()];
    expect(pieces.join('')).toBe(`a ${family} b`);
    for (const piece of pieces) expect(piece).not.toContain('\ufffd');
  });

  it('stories begins without a space after BOS and keeps it when it continues', () => {
    const codec = codecs.stories!;
    expect(codec.encodePrompt('')).toEqual([1]);
    const generated = [403, 407, 261, 378];
    expect(codec.decode(generated, [1])).toBe('Once upon a time');
    expect(codec.decode(generated, [1, 403])).toBe(' Once upon a time');
    const after = codec.stream([1]);
    expect(generated.map((id) => after.push(id))).toEqual(['Once', ' upon', ' a', ' time']);
    const within = codec.stream([1, 403, 407]);
    expect([261, 378].map((id) => within.push(id))).toEqual([' a', ' time']);
  });

  it('leaves special tokens and ids without a token out of the text', () => {
    expect(codecs.stories!.decode([1, 403, 2])).toBe('Once');
    expect(codecs.qwen!.decode([9707, 151_645, 151_900, 1879])).toBe('Hello world');
    const stream = codecs.qwen!.stream([]);
    expect([151_644, 9707, 151_900, 1879, 151_645].map((id) => stream.push(id)).join('')).toBe('Hello world');
  });

  it('qwen2.5 speaks its chat template', () => {
    const codec = codecs.qwen!;
    expect(codec.hasChatTemplate).toBe(true);
    const ids = codec.encodeChat([
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: 'Hello!' },
      { role: 'user', content: 'Bye' },
    ]);
    const turn = (role: string, text: string) => `<|im_start|>${role}\n${text}<|im_end|>\n`;
    const rendered = `${turn('system', 'Be brief.')}${turn('user', 'Hi')}${turn('assistant', 'Hello!')}${turn('user', 'Bye')}<|im_start|>assistant\n`;
    expect(ids).toEqual(codec.encodePrompt(rendered));
    expect(ids.slice(0, 2)).toEqual([151_644, 8948]);
  });

  it('a model without a template continues the last thing the user said', () => {
    const codec = codecs.gpt2!;
    expect(codec.hasChatTemplate).toBe(false);
    const messages = [
      { role: 'user' as const, content: 'Hello' },
      { role: 'assistant' as const, content: 'x' },
    ];
    expect(codec.encodeChat(messages)).toEqual([15496]);
    expect(() => codec.encodeChat([])).toThrow(expect.objectContaining({ code: 'PROMPT_EMPTY' }));
  });

  it('a model without a first token refuses an empty prompt', () => {
    for (const name of ['gpt2', 'qwen']) {
      expect(() => codecs[name]!.encodePrompt('')).toThrow(expect.objectContaining({ code: 'PROMPT_EMPTY' }));
    }
  });

  describe('templates', () => {
    const config = (fields: object) => ({ 'tokenizer_config.json': JSON.stringify({ bos_token: '<s>', ...fields }) });
    const hi = [{ role: 'user' as const, content: 'Once' }];
    const written = '{{ bos_token }}{{ messages[0].content }}';

    it('that write BOS themselves do not get a second one', async () => {
      const codec = await load('models/stories260k', config({ chat_template: written }));
      expect(codec.encodeChat(hi)).toEqual([1, 403]);
    });

    it('come from a list by the name default, and from chat_template.jinja before that', async () => {
      const chat_template = [
        { name: 'tool_use', template: 'x' },
        { name: 'default', template: written },
      ];
      expect((await load('models/stories260k', config({ chat_template }))).encodeChat(hi)).toEqual([1, 403]);
      const file = { ...config({ chat_template: 'x' }), 'chat_template.jinja': written };
      expect((await load('models/stories260k', file)).encodeChat(hi)).toEqual([1, 403]);
      const others = config({ chat_template: [{ name: 'tool_use', template: 'x' }] });
      expect((await load('models/stories260k', others)).hasChatTemplate).toBe(false);
    });

    it('that are broken, or refuse the conversation, say so', async () => {
      const broken = load('models/stories260k', config({ chat_template: '{% for %}' }));
      await expect(broken).rejects.toMatchObject({ code: 'CHAT_TEMPLATE_INVALID' });
      const strict = config({ chat_template: "{{ raise_exception('Roles must alternate') }}" });
      const codec = await load('models/stories260k', strict);
      expect(() => codec.encodeChat(hi)).toThrow(/cannot be used: .*Roles must alternate/);
    });
  });
});

describe('broken tokenizers', () => {
  const open = (files: Record<string, string>) => loadTextCodec(memorySource(files));
  const minimal = {
    version: '1.0',
    added_tokens: [],
    normalizer: null,
    pre_tokenizer: null,
    post_processor: null,
    decoder: null,
    model: { type: 'BPE', vocab: { a: 0, b: 1 }, merges: [] },
  };

  it('a minimal one works without a configuration', async () => {
    const codec = await open({ 'tokenizer.json': JSON.stringify(minimal) });
    expect(codec.encodePrompt('ab')).toEqual([0, 1]);
  });

  it.each<[string, string]>([
    ['no JSON', '{'],
    ['a list', '[]'],
    ['no model', JSON.stringify({ ...minimal, model: undefined })],
    ['no vocabulary', JSON.stringify({ ...minimal, model: { type: 'BPE' } })],
    ['an unknown normalizer', JSON.stringify({ ...minimal, normalizer: { type: 'Magic' } })],
    ['an unknown decoder', JSON.stringify({ ...minimal, decoder: { type: 'Magic' } })],
    ['an added token without an id', JSON.stringify({ ...minimal, added_tokens: [{ content: 'x' }] })],
  ])('%s', async (_, json) => {
    await expect(open({ 'tokenizer.json': json })).rejects.toMatchObject({ code: 'TOKENIZER_INVALID' });
  });

  it('none at all, and a configuration that is none', async () => {
    await expect(open({})).rejects.toMatchObject({ code: 'MODEL_FILE_MISSING' });
    const files = { 'tokenizer.json': JSON.stringify(minimal), 'tokenizer_config.json': '{"bos_token": 7}' };
    await expect(open(files)).rejects.toMatchObject({ code: 'TOKENIZER_INVALID' });
  });
});
