import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Runtime } from 'webextension-polyfill';
import { AiloError } from '../../shared/errors/index.ts';
import type { Command, PageRequest, Update } from '../messages.ts';
import type { AppState, Turn } from '../state.ts';
import { createPages, PUSH_EVERY_MS, updatesOf } from './pages.ts';

const turn = (text: string): Turn => ({ role: 'assistant', text, model: 'm', status: 'running' });
const stateOf = (...turns: Turn[]) => ({ settings: {}, node: {}, answersHelped: 1, conversation: turns }) as AppState;

const quiet = { state: () => stateOf(), obey: () => {}, answer: async () => {} };

/** One end of a port, with what arrived at the other. */
function page() {
  const listeners = { message: (_: unknown) => {}, disconnect: () => {} };
  const heard: Update[] = [];
  const port = {
    onMessage: {
      addListener: (listener: (message: unknown) => void) => Object.assign(listeners, { message: listener }),
    },
    onDisconnect: { addListener: (listener: () => void) => Object.assign(listeners, { disconnect: listener }) },
    postMessage: (update: Update) => heard.push(update),
  } as unknown as Runtime.Port;
  return { port, heard, say: (message: unknown) => listeners.message(message), close: () => listeners.disconnect() };
}

describe('pages', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('hear everything at once, then what changed, gathered', () => {
    let state = stateOf(turn('Once'));
    const pages = createPages({ ...quiet, state: () => state });
    const { port, heard } = page();
    pages.connect(port);
    expect(heard.splice(0)).toEqual([{ type: 'state', state }]);
    for (const text of ['Once upon', 'Once upon a']) {
      state = stateOf(turn(text));
      pages.show('answer');
    }
    expect(heard).toEqual([]);
    vi.advanceTimersByTime(PUSH_EVERY_MS);
    expect(heard.splice(0)).toEqual([{ type: 'answer', turn: turn('Once upon a') }]);
    vi.advanceTimersByTime(10 * PUSH_EVERY_MS);
    expect(heard).toEqual([]);
  });

  it('hear nothing after they closed', () => {
    const pages = createPages({ ...quiet });
    const [first, second] = [page(), page()];
    pages.connect(first.port);
    pages.connect(second.port);
    pages.show('node');
    first.close();
    vi.advanceTimersByTime(PUSH_EVERY_MS);
    expect([first.heard.length, second.heard.length]).toEqual([1, 2]);
  });

  it('are obeyed when they say what exists', () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const obeyed: Command[] = [];
    const pages = createPages({ ...quiet, obey: (command) => obeyed.push(command) });
    const { port, say } = page();
    pages.connect(port);
    say({ type: 'stop' });
    say({ type: 'change', settings: { wallet: 'words' } });
    say('stop');
    expect(obeyed).toEqual([{ type: 'stop' }]);
    expect(warn).toHaveBeenCalledTimes(2);
    warn.mockRestore();
  });
});

describe('requests of a page', () => {
  const ask = (id: number, request: object) => ({ type: 'request', id, request });

  it('are answered to the page that asked, after what they changed', async () => {
    const asked: PageRequest[] = [];
    const pages = createPages({
      ...quiet,
      async answer(request) {
        asked.push(request);
        pages.show('conversation');
        return 'the answer';
      },
    });
    const [asking, other] = [page(), page()];
    pages.connect(asking.port);
    pages.connect(other.port);
    asking.say(ask(3, { type: 'words' }));
    await vi.waitFor(() => expect(asking.heard).toHaveLength(3));
    expect(asked).toEqual([{ type: 'words' }]);
    expect(asking.heard.slice(1)).toEqual([
      { type: 'change', conversation: [] },
      { type: 'result', id: 3, result: { ok: true, value: 'the answer' } },
    ]);
    expect(other.heard.map(({ type }) => type)).toEqual(['state', 'change']);
  });

  it('are answered with the error, and with MESSAGE_INVALID when they do not exist, quoting nothing', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const error = AiloError.of('NOT_FOUND', { what: 'wallet' });
    const pages = createPages({ ...quiet, answer: () => Promise.reject(error) });
    const { port, heard, say } = page();
    pages.connect(port);
    say(ask(0, { type: 'words' }));
    say(ask(1, { type: 'words', secret: 'hunter2' }));
    await vi.waitFor(() => expect(heard).toHaveLength(3));
    expect(heard[1]).toEqual({ type: 'result', id: 0, result: { ok: false, error: error.toWire() } });
    expect(heard[2]).toMatchObject({ id: 1, result: { ok: false, error: { code: 'MESSAGE_INVALID' } } });
    expect(JSON.stringify([heard, warn.mock.calls])).not.toContain('hunter2');
    warn.mockRestore();
  });

  it('are done but not answered when the page closed', async () => {
    const pages = createPages({ ...quiet, answer: async () => 1 });
    const { port, heard, say, close } = page();
    pages.connect(port);
    say(ask(0, { type: 'words' }));
    close();
    await new Promise((resolve) => setTimeout(resolve));
    expect(heard).toHaveLength(1);
  });
});

describe('what changed', () => {
  const state = stateOf(turn('a'), turn('b'));
  const { conversation, ...node } = state;

  it('is said with the fewest messages', () => {
    expect(updatesOf(state, new Set(['node']))).toEqual([{ type: 'change', node }]);
    expect(updatesOf(state, new Set(['answer', 'conversation']))).toEqual([{ type: 'change', conversation }]);
    expect(updatesOf(state, new Set(['answer', 'node']))).toEqual([
      { type: 'change', node },
      { type: 'answer', turn: turn('b') },
    ]);
    expect(updatesOf(stateOf(), new Set(['answer']))).toEqual([]);
  });
});
