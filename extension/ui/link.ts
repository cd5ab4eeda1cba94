/** A page's side of the port to the offscreen document: what it last showed, and commands to it. */
import { signal } from '@preact/signals';
import browser from 'webextension-polyfill';
import type { WireError } from '../../shared/errors/index.ts';
import { type Command, type Notice, PORT, type Update } from '../messages.ts';
import type { AppState, Turn } from '../state.ts';

/** The offscreen document is back within this after a crash or an update. */
const RETRY_MS = 1000;
/** Commands given before the first connection; a person is not faster than that. */
const MAX_WAITING = 16;

/** Undefined until the offscreen document spoke for the first time. */
export const app = signal<AppState | undefined>(undefined);
/** Whether `app` is what the offscreen document shows now. */
export const live = signal(false);

/** Why the offscreen document could not start. */
export const broken = signal<WireError | undefined>(undefined);

let port: browser.Runtime.Port | undefined;
const waiting: Command[] = [];

/** Wakes the offscreen document and stays connected to it. */
export async function connect(): Promise<void> {
  try {
    await browser.runtime.sendMessage({ type: 'wake' } satisfies Notice);
  } catch {
    setTimeout(connect, RETRY_MS);
    return;
  }
  const opened = browser.runtime.connect({ name: PORT });
  opened.onMessage.addListener((update) => {
    receive(update as Update);
    if (broken.value) return;
    port = opened;
    for (const command of waiting.splice(0)) opened.postMessage(command);
  });
  opened.onDisconnect.addListener(() => {
    // Reading it tells the browser that we know; what follows is the same for every reason.
    void browser.runtime.lastError;
    port = undefined;
    live.value = false;
    setTimeout(connect, RETRY_MS);
  });
}

/** Sent at once, or as soon as there is a connection. */
export function send(command: Command): void {
  if (port) port.postMessage(command);
  else if (waiting.length < MAX_WAITING) waiting.push(command);
}

function receive(update: Update): void {
  if (update.type === 'broken') {
    broken.value = update.error;
    return;
  }
  if (update.type === 'state') {
    app.value = update.state;
    live.value = true;
    return;
  }
  // The whole state always came first.
  const before = app.value!;
  const change = update.type === 'change' ? update.change : withAnswer(before, update.turn);
  app.value = { ...before, ...change };
}

function withAnswer({ conversation }: AppState, turn: Turn): Partial<AppState> {
  return { conversation: [...conversation.slice(0, -1), turn] };
}
