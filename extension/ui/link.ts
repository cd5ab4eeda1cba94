/** A page's side of the port to the offscreen document: what it last showed, commands to it, requests and their answers. */
import { signal } from '@preact/signals';
import browser from 'webextension-polyfill';
import { AiloError, type WireError } from '../../shared/errors/index.ts';
import {
  type Command,
  type FromPage,
  type Notice,
  type PageRequest,
  PORT,
  type ResultOf,
  type Update,
} from '../messages.ts';
import type { AppState, Turn } from '../state.ts';
import { createRequests } from './requests.ts';

/** The offscreen document is back within this after a crash or an update. */
const RETRY_MS = 1000;
/** What was said before the first connection; a person is not faster than that. */
const MAX_WAITING = 16;

/** Undefined until the offscreen document spoke for the first time. */
export const app = signal<AppState | undefined>(undefined);
/** Whether `app` is what the offscreen document shows now. */
export const live = signal(false);

/** Why the offscreen document could not start. */
export const broken = signal<WireError | undefined>(undefined);

let port: browser.Runtime.Port | undefined;
let waiting: FromPage[] = [];

const requests = createRequests((message) => {
  if (broken.value) throw AiloError.fromWire(broken.value);
  if (!say(message)) throw AiloError.of('ANSWER_LOST', {});
});

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
    for (const message of waiting.splice(0)) opened.postMessage(message);
  });
  opened.onDisconnect.addListener(() => {
    // Reading it tells the browser that we know; what follows is the same for every reason.
    void browser.runtime.lastError;
    port = undefined;
    live.value = false;
    loseRequests(AiloError.of('ANSWER_LOST', {}));
    setTimeout(connect, RETRY_MS);
  });
}

/** Sent at once, or as soon as there is a connection. */
export function send(command: Command): void {
  say(command);
}

/**
 * Sent like a command; resolves to the answer. Rejects with the AiloError that the offscreen document answered, or with
 * ANSWER_LOST when it went away first: then nobody knows whether it was done.
 */
export function request<R extends PageRequest>(request: R): Promise<ResultOf<R>> {
  return requests.request(request);
}

/** Whether it was sent or will be. */
function say(message: FromPage): boolean {
  if (port) port.postMessage(message);
  else if (waiting.length < MAX_WAITING) waiting.push(message);
  else return false;
  return true;
}

function loseRequests(error: AiloError): void {
  waiting = waiting.filter(({ type }) => type !== 'request');
  requests.lose(error);
}

function receive(update: Update): void {
  if (update.type === 'broken') {
    broken.value = update.error;
    loseRequests(AiloError.fromWire(update.error));
    return;
  }
  if (update.type === 'result') {
    requests.settle(update.id, update.result);
    return;
  }
  if (update.type === 'state') {
    app.value = update.state;
    live.value = true;
    return;
  }
  // The whole state always came first.
  const before = app.value!;
  if (update.type === 'answer') app.value = { ...before, ...withAnswer(before, update.turn) };
  // Whole: what is not in it any more is gone.
  else app.value = { ...(update.node ?? before), conversation: update.conversation ?? before.conversation };
}

function withAnswer({ conversation }: AppState, turn: Turn): Partial<AppState> {
  return { conversation: [...conversation.slice(0, -1), turn] };
}
