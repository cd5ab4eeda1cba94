import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { Command, CoordinatorUrl, FromPage, MAX_TEXT, Notice, PageRequest } from './messages.ts';
import { textOf } from './offscreen/wallet-testing.ts';

const accepts = (schema: v.GenericSchema, message: unknown) => v.safeParse(schema, message).success;
const change = (settings: object) => accepts(Command, { type: 'change', settings });

describe('what pages may say', () => {
  it('is a closed set', () => {
    expect(accepts(Command, { type: 'ask', model: 'm', text: 'Hello' })).toBe(true);
    expect(accepts(Command, { type: 'stop' })).toBe(true);
    expect(accepts(Command, { type: 'words' })).toBe(false);
    expect(accepts(Command, { type: 'stop', more: 1 })).toBe(false);
    expect(accepts(Command, null)).toBe(false);
  });

  it('is bounded', () => {
    expect(accepts(Command, { type: 'ask', model: 'm', text: 'x'.repeat(MAX_TEXT + 1) })).toBe(false);
    expect(change({ maxNewTokens: 0 })).toBe(false);
    expect(change({ maxNewTokens: 1.5 })).toBe(false);
    expect(change({ temperature: 2.1 })).toBe(false);
    expect(change({ temperature: Number.NaN })).toBe(false);
    expect(change({ memoryMiB: 100 })).toBe(false);
    expect(change({ engine: 'node' })).toBe(false);
  });

  it('changes only settings that exist', () => {
    expect(change({ temperature: 0, maxNewTokens: 196, engine: 'webgpu', memoryMiB: 512, username: '' })).toBe(true);
    expect(change({ wallet: 'words' })).toBe(false);
  });

  it.each(['ftp://example.org', 'example.org', 'javascript:alert(1)', '', `http://${'x'.repeat(600)}`])(
    'never connects to “%s”',
    (url) => expect(accepts(CoordinatorUrl, url)).toBe(false),
  );

  it.each(['http://127.0.0.1:8790', 'https://ailo.example.org'])('connects to %s', (url) =>
    expect(accepts(CoordinatorUrl, url)).toBe(true),
  );

  it('asks with a number, bounded passwords and nothing more', () => {
    const request = { type: 'unlock', password: 'x'.repeat(1024) };
    expect(accepts(FromPage, { type: 'request', id: 0, request })).toBe(true);
    expect(accepts(FromPage, { type: 'request', id: -1, request })).toBe(false);
    expect(accepts(FromPage, { type: 'request', request })).toBe(false);
    expect(accepts(PageRequest, { type: 'unlock', password: 'x'.repeat(1025) })).toBe(false);
    expect(accepts(PageRequest, { type: 'unlock' })).toBe(false);
    expect(accepts(PageRequest, { type: 'restore', words: 'x'.repeat(1025) })).toBe(false);
    expect(accepts(PageRequest, { type: 'setPassword', password: 'correct horse', words: '' })).toBe(false);
  });

  it('gives the service worker nothing of the wallet but what is sealed', async () => {
    const copy = (text: unknown) => accepts(Notice, { type: 'writeCopy', text });
    expect(accepts(Notice, { type: 'readCopy' })).toBe(true);
    expect(copy(await textOf())).toBe(true);
    expect(copy('legal winner thank year wave sausage worth useful legal winner thank yellow')).toBe(false);
    expect(copy({})).toBe(false);
  });

  it('tells the service worker no more than a badge', () => {
    expect(accepts(Notice, { type: 'wake' })).toBe(true);
    expect(accepts(Notice, { type: 'badge', badge: 'off', reason: 'not contributing' })).toBe(true);
    expect(accepts(Notice, { type: 'badge', badge: 'mining', reason: '' })).toBe(false);
  });
});
