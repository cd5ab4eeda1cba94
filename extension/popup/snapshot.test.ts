import { describe, expect, it } from 'vitest';
import type { AppState, Turn } from '../state.ts';
import { readSnapshot, writeSnapshot } from './snapshot.ts';

/** The three methods that are used, over a map; `limit` is the quota in characters. */
function storageOf(limit = Number.POSITIVE_INFINITY): Storage {
  const items = new Map<string, string>();
  return {
    getItem: (key: string) => items.get(key) ?? null,
    removeItem: (key: string) => items.delete(key),
    setItem(key: string, value: string) {
      if (value.length > limit) throw new DOMException('full', 'QuotaExceededError');
      items.set(key, value);
    },
  } as unknown as Storage;
}

const turn = (text: string): Turn => ({ role: 'user', text, model: 'm', status: 'done' });
const state = (turns: Turn[], username = 'ada') =>
  ({ conversation: turns, settings: { username } }) as unknown as AppState;

describe('what the popup showed last', () => {
  it('comes back without the conversation, which is private', () => {
    const storage = storageOf();
    writeSnapshot(storage, state([turn('a secret')]));
    expect(readSnapshot(storage)).toEqual(state([]));
    expect(storage.getItem('ailo.snapshot')).not.toContain('secret');
  });

  it('is nothing at first, and nothing when another version or something broken was stored', () => {
    const storage = storageOf();
    expect(readSnapshot(storage)).toBeUndefined();
    storage.setItem('ailo.snapshot', '{"version":0,"state":{}}');
    expect(readSnapshot(storage)).toBeUndefined();
    storage.setItem('ailo.snapshot', '{"version":');
    expect(readSnapshot(storage)).toBeUndefined();
  });

  it('is nothing rather than something stale when there is no room', () => {
    const storage = storageOf(500);
    writeSnapshot(storage, state([turn('first')]));
    writeSnapshot(storage, state([], 'x'.repeat(1000)));
    expect(readSnapshot(storage)).toBeUndefined();
  });

  it('stays what it was when nothing was shown', () => {
    const storage = storageOf();
    writeSnapshot(storage, state([turn('first')]));
    writeSnapshot(storage, undefined);
    expect(readSnapshot(storage)).toEqual(state([]));
  });
});
