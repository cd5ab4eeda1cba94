/** The asking side: turns a conversation into a request to the network and its answer back into text. */
import { throwIfCancelled } from '../errors/cancelled.ts';
import { AiloError, type WireError } from '../errors/index.ts';
import type { TextCodec } from '../model/types.ts';
import type { FromCoordinator, FromNode, ModelListing } from '../protocol/messages.ts';
import { createEventQueue, type EventQueue } from './queue.ts';
import type { ChatEvent, ChatRequest } from './types.ts';

export interface RequesterOptions {
  send<T extends keyof FromNode>(type: T, body: FromNode[T]): void;
  /** Whether there is a session to ask through. */
  isOpen(): boolean;
  models(): ModelListing[];
  loadCodec(listing: ModelListing, signal?: AbortSignal): Promise<TextCodec>;
  newId(): string;
  url: string;
}

export interface Requester {
  chat(request: ChatRequest, signal?: AbortSignal): AsyncGenerator<ChatEvent, void, void>;
  accepted(body: FromCoordinator['accepted']): void;
  token(body: FromCoordinator['token']): void;
  rewind(body: FromCoordinator['rewind']): void;
  finished(body: FromCoordinator['finished']): void;
  failed(body: FromCoordinator['failed']): void;
  /** The coordinator refused a `generate` as such; which one it does not say, so it is the oldest without an answer. */
  onRefused(error: WireError): void;
  /** The session is gone: what was asked will not be answered. */
  onLost(): void;
}

interface Pending {
  events: EventQueue<ChatEvent>;
  /** A new stream of text that goes on after the prompt. */
  begin(): ReturnType<TextCodec['stream']>;
  text: ReturnType<TextCodec['stream']>;
  written: string;
  answer: number[];
  promptTokens: number;
  accepted: boolean;
}

export function createRequester(options: RequesterOptions): Requester {
  const { send, newId } = options;
  /** In the order of asking. */
  const pending = new Map<string, Pending>();

  function end(request: string, error?: AiloError) {
    pending.get(request)?.events.end(error);
    pending.delete(request);
  }

  async function* chat(request: ChatRequest, signal?: AbortSignal): AsyncGenerator<ChatEvent, void, void> {
    throwIfCancelled(signal);
    if (!options.isOpen()) throw AiloError.of('UNREACHABLE', { url: options.url });
    const listing = options.models().find(({ id }) => id === request.model);
    if (!listing) throw AiloError.of('MODEL_UNKNOWN', { model: request.model });
    const codec = await options.loadCodec(listing, signal);
    const tokens = codec.encodeChat(request.messages);
    if (tokens.length >= listing.contextLength) {
      throw AiloError.of('PROMPT_TOO_LONG', { tokens: tokens.length, contextLength: listing.contextLength });
    }
    throwIfCancelled(signal);
    if (!options.isOpen()) throw AiloError.of('SESSION_LOST', {});

    const id = newId();
    const events = createEventQueue<ChatEvent>();
    const begin = () => codec.stream(tokens);
    const entry = { events, begin, text: begin(), written: '', answer: [] };
    pending.set(id, { ...entry, promptTokens: tokens.length, accepted: false });
    const cancel = () => {
      if (!pending.has(id)) return;
      send('cancel', { request: id });
      end(id, AiloError.of('CANCELLED', {}));
    };
    signal?.addEventListener('abort', cancel);
    try {
      const { maxNewTokens, sampling } = request;
      send('generate', { request: id, model: listing.id, tokens, maxNewTokens, sampling });
      yield* events;
    } finally {
      signal?.removeEventListener('abort', cancel);
      // Whoever read the answer has gone before its end.
      cancel();
    }
  }

  return {
    chat,
    accepted({ request, participants }) {
      const entry = pending.get(request);
      if (!entry) return;
      entry.accepted = true;
      entry.events.push({ kind: 'accepted', participants, promptTokens: entry.promptTokens });
    },
    token({ request, index, token, pausedMs }) {
      const entry = pending.get(request);
      if (!entry) return;
      const text = entry.text.push(token);
      entry.written += text;
      entry.answer.push(token);
      entry.events.push({ kind: 'token', index, token, text, ...(pausedMs !== undefined && { pausedMs }) });
    },
    rewind({ request, index }) {
      const entry = pending.get(request);
      if (!entry) return;
      entry.answer.length = Math.min(index, entry.answer.length);
      entry.text = entry.begin();
      entry.written = entry.answer.map((token) => entry.text.push(token)).join('');
      entry.events.push({ kind: 'rewound', index: entry.answer.length, text: entry.written });
    },
    finished({ request, reason, tokens, latencyMs }) {
      const entry = pending.get(request);
      if (!entry) return;
      const text = entry.written + entry.text.end();
      entry.events.push({ kind: 'finished', reason, text, tokens, latencyMs });
      end(request);
    },
    failed: ({ request, error }) => end(request, AiloError.fromWire(error)),

    onRefused(error) {
      const oldest = [...pending].find(([, { accepted }]) => !accepted);
      if (oldest) end(oldest[0], AiloError.fromWire(error));
    },
    onLost() {
      for (const request of [...pending.keys()]) end(request, AiloError.of('SESSION_LOST', {}));
    },
  };
}
