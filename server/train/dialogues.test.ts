import { expect, test } from 'vitest';
import { guideTokenizer } from '../../shared/guide/tokenizer.ts';
import { memorySource } from '../../shared/model/memory-source.ts';
import { loadTextCodec } from '../../shared/model/text.ts';
import { tokenisedDialogues } from './dialogues.ts';

const files = guideTokenizer([{ question: 'what is it', answer: 'it is a test' }]);
const source = (names: string[]) =>
  memorySource(Object.fromEntries(names.map((name) => [name, new TextEncoder().encode(JSON.stringify(files[name]))])));
const codec = await loadTextCodec(source(Object.keys(files)));
const user = { role: 'user', content: 'what is it' };
const assistant = { role: 'assistant', content: 'it is a test' };
const line = (...messages: object[]) => JSON.stringify({ messages });

test('the prompt is what the chat template makes of it, and the answer ends with the end-of-text token', () => {
  const [dialogue] = tokenisedDialogues(`${line(user, assistant)}\n\n`, codec);
  const tokens = [...dialogue!.tokens];
  expect(tokens.slice(0, dialogue!.answerStart)).toEqual(codec.encodeChat([{ role: 'user', content: 'what is it' }]));
  expect(tokens.slice(dialogue!.answerStart)).toEqual([...codec.encodeText('it is a test'), codec.eosToken]);
});

test.each([
  ['that is no JSON', '{'],
  ['without an answer', line(assistant, user)],
  ['of one message', line(assistant)],
  ['of an unknown role', line({ ...user, role: 'friend' }, assistant)],
])('a line %s is refused with its number', (_, bad) => {
  const refused = expect.objectContaining({ code: 'USAGE', message: expect.stringContaining('line 2') });
  expect(() => tokenisedDialogues(`${line(user, assistant)}\n${bad}`, codec)).toThrow(refused);
});

test('a model that does not chat cannot learn dialogues', async () => {
  const plain = await loadTextCodec(source(['tokenizer.json']));
  expect(() => tokenisedDialogues(line(user, assistant), plain)).toThrow(expect.objectContaining({ code: 'USAGE' }));
});
