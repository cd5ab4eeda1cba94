/**
 * The conversation with the network. It lives in the offscreen document, so that a popup may close in the middle of an
 * answer and find it again; it is stored on this device only.
 */
import { toAiloError } from '../../shared/errors/index.ts';
import type { ChatMessage } from '../../shared/model/types.ts';
import type { AiloNode, ChatEvent } from '../../shared/node/types.ts';
import { GREEDY, type Sampling } from '../../shared/sampler/types.ts';
import type { Settings, Turn } from '../state.ts';

/** Older turns are forgotten beyond this. */
export const MAX_TURNS = 200;

/** Sampling from the likeliest tokens that make up this share (Holtzman et al. 2020) keeps warm answers coherent. */
const TOP_P = 0.95;

type AnswerSettings = Pick<Settings, 'temperature' | 'maxNewTokens'>;

export interface ConversationOptions {
  chat: AiloNode['chat'];
  /** What was stored. */
  turns: Turn[];
  save(turns: Turn[]): Promise<void>;
  /** Anything changed but the text of the running answer. */
  onChange(): void;
  /** The running answer grew. */
  onAnswer(turn: Turn): void;
  now(): number;
  /** A 32-bit seed for sampling. */
  seed(): number;
}

export interface Conversation {
  readonly turns: Turn[];
  /** Does nothing while an answer is running. */
  ask(model: string, text: string, settings: AnswerSettings): Promise<void>;
  stop(): void;
  clear(): Promise<void>;
}

export function createConversation(options: ConversationOptions): Conversation {
  // An answer that ran when the browser closed will not go on.
  let turns = options.turns.map((turn): Turn => (turn.status === 'running' ? { ...turn, status: 'stopped' } : turn));
  let running: AbortController | undefined;

  async function settle() {
    options.onChange();
    await options.save(turns);
  }

  function replaceLast(turn: Turn) {
    turns = [...turns.slice(0, -1), turn];
  }

  /** `isCurrent` turns false when the conversation was cleared meanwhile. */
  async function answer(model: string, settings: AnswerSettings, signal: AbortSignal, isCurrent: () => boolean) {
    const messages = toMessages(turns);
    let turn: Turn = { role: 'assistant', text: '', model, status: 'running' };
    turns = [...turns, turn];
    options.onChange();
    // Not waited for: the answer matters more, and the end of it is stored again.
    options.save(turns).catch(() => {});
    const speed = createSpeed(options.now);
    try {
      const sampling: Sampling = { ...GREEDY, temperature: settings.temperature, topP: TOP_P, seed: options.seed() };
      const request = { model, messages, maxNewTokens: settings.maxNewTokens, sampling };
      for await (const event of options.chat(request, signal)) {
        if (!isCurrent()) return;
        turn = { ...grow(turn, event), ...(event.kind === 'token' && speed.count()) };
        replaceLast(turn);
        options.onAnswer(turn);
      }
      turn = { ...turn, status: 'done' };
    } catch (thrown) {
      const error = toAiloError(thrown);
      const stopped = error.code === 'CANCELLED';
      turn = stopped ? { ...turn, status: 'stopped' } : { ...turn, status: 'failed', error: error.toWire() };
    }
    if (isCurrent()) replaceLast(turn);
  }

  return {
    get turns() {
      return turns;
    },
    async ask(model, text, settings) {
      if (running) return;
      const mine = new AbortController();
      running = mine;
      turns = [...turns, { role: 'user', text, model, status: 'done' } satisfies Turn].slice(-MAX_TURNS);
      await answer(model, settings, mine.signal, () => running === mine);
      if (running !== mine) return;
      running = undefined;
      await settle();
    },
    stop() {
      running?.abort();
    },
    async clear() {
      running?.abort();
      running = undefined;
      turns = [];
      await settle();
    },
  };
}

/** What the model is shown: questions whose answer failed are left out, since templates want turns to alternate. */
function toMessages(turns: Turn[]): ChatMessage[] {
  return turns
    .filter(({ status }, i) => status !== 'failed' && turns[i + 1]?.status !== 'failed')
    .map(({ role, text }) => ({ role, content: text }));
}

function grow(turn: Turn, event: ChatEvent): Turn {
  switch (event.kind) {
    case 'accepted':
      return { ...turn, participants: event.participants };
    case 'token':
      return { ...turn, text: turn.text + event.text, tokens: event.index + 1 };
    case 'rewound':
      return { ...turn, text: event.text, tokens: event.index };
    case 'finished':
      // What the decoder still held back of a character.
      return { ...turn, text: event.text, tokens: event.tokens };
  }
}

/** Tokens per second of decoding: the first token, which waits for the prompt, only starts the clock. */
function createSpeed(now: () => number): { count(): { tokensPerSecond?: number } } {
  let firstMs: number | undefined;
  let tokens = 0;
  return {
    count() {
      if (firstMs === undefined) {
        firstMs = now();
        return {};
      }
      tokens += 1;
      const seconds = (now() - firstMs) / 1000;
      return seconds > 0 ? { tokensPerSecond: tokens / seconds } : {};
    },
  };
}
