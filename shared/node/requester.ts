/** The asking side: turns a conversation into a request to the network and its answer back into text. */
import { AiloError, type WireError } from '../errors/index.ts';
import type { TextCodec } from '../model/types.ts';
import type { MessageOf } from '../protocol/channel.ts';
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

type Answer = Extract<MessageOf<FromCoordinator>, { type: 'accepted' | 'token' | 'finished' | 'failed' }>;

export interface Requester {
  chat(request: ChatRequest, signal?: AbortSignal): AsyncGenerator<ChatEvent, void, void>;
  onAnswer(message: Answer): void;
  /** The coordinator refused a `generate` as such; which one it does not say, so it is the oldest without an answer. */
  onRefused(error: WireError): void;
  /** The session is gone: what was asked will not be answered. */
  onLost(): void;
}

interface Pending {
  events: EventQueue<ChatEvent>;
  text: ReturnType<TextCodec['stream']>;
  written: string;
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
    if (signal?.aborted) throw AiloError.of('CANCELLED', {});
    if (!options.isOpen()) throw AiloError.of('UNREACHABLE', { url: options.url });
    const listing = options.models().find(({ id }) => id === request.model);
    if (!listing) throw AiloError.of('MODEL_UNKNOWN', { model: request.model });
    const codec = await options.loadCodec(listing, signal);
    const tokens = codec.encodeChat(request.messages);
    if (tokens.length >= listing.contextLength) {
      throw AiloError.of('PROMPT_TOO_LONG', { tokens: tokens.length, contextLength: listing.contextLength });
    }
    if (!options.isOpen()) throw AiloError.of('SESSION_LOST', {});

    const id = newId();
    const events = createEventQueue<ChatEvent>();
    const text = codec.stream(tokens);
    pending.set(id, { events, text, written: '', promptTokens: tokens.length, accepted: false });
    const cancel = () => end(id, AiloError.of('CANCELLED', {}));
    signal?.addEventListener('abort', cancel);
    let finished = false;
    try {
      send('generate', {
        request: id,
        model: listing.id,
        tokens,
        maxNewTokens: request.maxNewTokens,
        sampling: request.sampling,
      });
      // Aborted while the tokenizer was loading.
      if (signal?.aborted) cancel();
      for await (const event of events) {
        finished = event.kind === 'finished';
        yield event;
      }
    } catch (error) {
      finished = !(error instanceof AiloError && error.code === 'CANCELLED' && signal?.aborted);
      throw error;
    } finally {
      signal?.removeEventListener('abort', cancel);
      pending.delete(id);
      // Stopped by the person, or whoever reads the answer has gone.
      if (!finished) send('cancel', { request: id });
    }
  }

  function onAnswer({ type, body }: Answer) {
    const entry = pending.get(body.request);
    if (!entry) return;
    const { events, text } = entry;
    switch (type) {
      case 'accepted':
        entry.accepted = true;
        events.push({ kind: 'accepted', participants: body.participants, promptTokens: entry.promptTokens });
        break;
      case 'token': {
        const piece = text.push(body.token);
        entry.written += piece;
        events.push({ kind: 'token', index: body.index, token: body.token, text: piece });
        break;
      }
      case 'finished': {
        const { reason, tokens, latencyMs } = body;
        entry.written += text.end();
        events.push({ kind: 'finished', reason, text: entry.written, tokens, latencyMs });
        end(body.request);
        break;
      }
      case 'failed':
        end(body.request, AiloError.fromWire(body.error));
    }
  }

  return {
    chat,
    onAnswer,
    onRefused(error) {
      for (const [request, { accepted }] of pending) {
        if (!accepted) return end(request, AiloError.fromWire(error));
      }
    },
    onLost() {
      for (const request of [...pending.keys()]) end(request, AiloError.of('SESSION_LOST', {}));
    },
  };
}
