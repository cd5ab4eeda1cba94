/** The pages that look at the node: what they are told and how often, and what they ask for. */
import * as v from 'valibot';
import type { Runtime } from 'webextension-polyfill';
import { AiloError, toAiloError } from '../../shared/errors/index.ts';
import { type Command, FromPage, type PageRequest, type Result, type Update } from '../messages.ts';
import type { AppState } from '../state.ts';

/** A node changes with every step of every job; pages are told at most so often. */
export const PUSH_EVERY_MS = 40;

/** What can change: the node (with settings and counters), the list of turns, the text of the running answer. */
export type Part = 'node' | 'conversation' | 'answer';

export interface PagesOptions {
  state(): AppState;
  obey(command: Command): void;
  /** Its errors are answers too. */
  answer(request: PageRequest): Promise<unknown>;
}

export interface Pages {
  /** Tells a new page everything, and listens to it. */
  connect(port: Runtime.Port): void;
  /** Tells all pages soon. */
  show(part: Part): void;
}

export function createPages({ state, obey, answer }: PagesOptions): Pages {
  const ports = new Set<Runtime.Port>();
  const due = new Set<Part>();
  let timer: ReturnType<typeof setTimeout> | undefined;

  function push() {
    clearTimeout(timer);
    timer = undefined;
    for (const update of updatesOf(state(), due)) {
      for (const port of ports) port.postMessage(update);
    }
    due.clear();
  }

  async function reply(port: Runtime.Port, id: number, work: Promise<unknown>) {
    const result = await work.then((value): Result => ({ ok: true, value }), failure);
    if (!ports.has(port)) return;
    push();
    port.postMessage({ type: 'result', id, result } satisfies Update);
  }

  /** What arrived is never logged: it may hold a password. */
  function refuse(port: Runtime.Port, message: unknown) {
    console.warn('a page said something that does not exist');
    const { success, output } = v.safeParse(v.object({ type: v.literal('request'), id: v.number() }), message);
    if (!success) return;
    const error = AiloError.of('MESSAGE_INVALID', { type: 'request', reason: 'it is not one of those that exist' });
    void reply(port, output.id, Promise.reject(error));
  }

  return {
    connect(port) {
      ports.add(port);
      port.onDisconnect.addListener(() => ports.delete(port));
      port.onMessage.addListener((message) => {
        const { success, output } = v.safeParse(FromPage, message);
        if (!success) refuse(port, message);
        else if (output.type === 'request') void reply(port, output.id, answer(output.request));
        else obey(output);
      });
      port.postMessage({ type: 'state', state: state() } satisfies Update);
    },
    show(part) {
      if (ports.size === 0) return;
      due.add(part);
      if (timer === undefined) timer = setTimeout(push, PUSH_EVERY_MS);
    },
  };
}

function failure(thrown: unknown): Result {
  const error = toAiloError(thrown);
  if (error.code === 'INTERNAL') console.warn('a request failed', error.cause);
  return { ok: false, error: error.toWire() };
}

/** The fewest messages that say what changed. */
export function updatesOf({ conversation, ...node }: AppState, parts: ReadonlySet<Part>): Update[] {
  const updates: Update[] = [];
  const answer = conversation.at(-1);
  if (parts.has('node') || parts.has('conversation')) {
    updates.push({
      type: 'change',
      ...(parts.has('node') && { node }),
      ...(parts.has('conversation') && { conversation }),
    });
  }
  if (parts.has('answer') && !parts.has('conversation') && answer) updates.push({ type: 'answer', turn: answer });
  return updates;
}
