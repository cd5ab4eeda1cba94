/** The pages that look at the node: what they are told and how often, and what they ask for. */
import * as v from 'valibot';
import type { Runtime } from 'webextension-polyfill';
import { Command, type Update } from '../messages.ts';
import type { AppState } from '../state.ts';

/** A node changes with every step of every job; pages are told at most so often. */
export const PUSH_EVERY_MS = 40;

/** What can change: the node (with settings and counters), the list of turns, the text of the running answer. */
export type Part = 'node' | 'conversation' | 'answer';

export interface PagesOptions {
  state(): AppState;
  obey(command: Command): void;
}

export interface Pages {
  /** Tells a new page everything, and listens to it. */
  connect(port: Runtime.Port): void;
  /** Tells all pages soon. */
  show(part: Part): void;
}

export function createPages({ state, obey }: PagesOptions): Pages {
  const ports = new Set<Runtime.Port>();
  const due = new Set<Part>();
  let timer: ReturnType<typeof setTimeout> | undefined;

  function push() {
    timer = undefined;
    for (const update of updatesOf(state(), due)) {
      for (const port of ports) port.postMessage(update);
    }
    due.clear();
  }

  return {
    connect(port) {
      ports.add(port);
      port.onDisconnect.addListener(() => ports.delete(port));
      port.onMessage.addListener((message) => {
        const parsed = v.safeParse(Command, message);
        if (parsed.success) obey(parsed.output);
        else console.warn('a page said something that does not exist:', parsed.issues[0].message);
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

/** The fewest messages that say what changed. */
export function updatesOf({ conversation, ...node }: AppState, parts: ReadonlySet<Part>): Update[] {
  const updates: Update[] = [];
  const answer = conversation.at(-1);
  if (parts.has('node') || parts.has('conversation')) {
    const change = { ...(parts.has('node') && node), ...(parts.has('conversation') && { conversation }) };
    updates.push({ type: 'change', change });
  }
  if (parts.has('answer') && !parts.has('conversation') && answer) updates.push({ type: 'answer', turn: answer });
  return updates;
}
