/**
 * What passes between the extension's pages, parsed by schema on arrival. Popup and onboarding speak with the offscreen
 * document over a runtime port; the service worker only hears notices.
 */
import * as v from 'valibot';
import type { WireError } from '../shared/errors/index.ts';
import type { CampaignSummary } from '../shared/protocol/http.ts';
import { MAX_NEW_TOKENS } from '../shared/protocol/limits.ts';
import { PASSWORD_MAX_LENGTH } from '../shared/wallet/vault.ts';
import { decodeRecord } from './offscreen/wallet-record.ts';
import {
  type AppState,
  AUTO_LOCK_CHOICES_MINUTES,
  ENGINE_CHOICES,
  MEMORY_CHOICES_MIB,
  type OwnText,
  type StorageUse,
  TRAINING_CHOICES,
  type Turn,
} from './state.ts';
import { type WalletResults, walletRequests } from './wallet-messages.ts';

export const PORT = 'ailo';
export const MAX_TEXT = 100_000;
/** Of a text to learn from, in UTF-16 units: a port carries at most 64 MiB. */
export const MAX_OWN_TEXT = 2 ** 24;
export const MAX_OWN_TEXT_NAME = 120;
/** Of recovery words as somebody types them; the longest twelve have 107 characters. */
export const MAX_WORDS_LENGTH = 1024;

export const CoordinatorUrl = v.pipe(
  v.string(),
  v.maxLength(512),
  v.url('Please enter a full address, for example http://127.0.0.1:8790'),
  v.regex(/^https?:\/\//, 'The address must begin with http:// or https://'),
);

/** What a page tells; what comes of it shows in the state. */
export const Command = v.variant('type', [
  v.strictObject({
    type: v.literal('ask'),
    model: v.pipe(v.string(), v.maxLength(96)),
    text: v.pipe(v.string(), v.maxLength(MAX_TEXT)),
  }),
  v.strictObject({ type: v.literal('stop') }),
  v.strictObject({ type: v.literal('clear') }),
  v.strictObject({
    type: v.literal('change'),
    settings: v.strictObject({
      coordinatorUrl: v.exactOptional(CoordinatorUrl),
      /** Empty: none is asked for. */
      username: v.exactOptional(v.pipe(v.string(), v.maxLength(64))),
      contributing: v.exactOptional(v.boolean()),
      consented: v.exactOptional(v.boolean()),
      training: v.exactOptional(v.picklist(TRAINING_CHOICES)),
      temperature: v.exactOptional(v.pipe(v.number(), v.minValue(0), v.maxValue(2))),
      maxNewTokens: v.exactOptional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(MAX_NEW_TOKENS))),
      engine: v.exactOptional(v.picklist(ENGINE_CHOICES)),
      memoryMiB: v.exactOptional(v.picklist(MEMORY_CHOICES_MIB)),
      autoLockMinutes: v.exactOptional(v.picklist(AUTO_LOCK_CHOICES_MINUTES)),
    }),
  }),
]);
export type Command = v.InferOutput<typeof Command>;

const Password = v.pipe(v.string(), v.maxLength(PASSWORD_MAX_LENGTH));

/** What a page asks for and waits for. `Results` says what it is answered with. */
export const PageRequest = v.variant('type', [
  /** The wallet's words, with the password if there is one. */
  v.strictObject({ type: v.literal('words'), password: v.exactOptional(Password) }),
  v.strictObject({ type: v.literal('unlock'), password: Password }),
  v.strictObject({ type: v.literal('lock') }),
  v.strictObject({ type: v.literal('setPassword'), old: v.exactOptional(Password), password: Password }),
  /** The words were written down, and the page checked it. */
  v.strictObject({ type: v.literal('confirmBackup') }),
  /** Replaces the wallet by the one of these words. */
  v.strictObject({ type: v.literal('restore'), words: v.pipe(v.string(), v.maxLength(MAX_WORDS_LENGTH)) }),
  /** What is stored of models. */
  v.strictObject({ type: v.literal('storage') }),
  /** Forgets what is stored of one; what a part in memory needs of it is fetched again when it is needed again. */
  v.strictObject({ type: v.literal('clearStorage'), model: v.pipe(v.string(), v.maxLength(96)) }),
  /** What the coordinator says of a training campaign. */
  v.strictObject({ type: v.literal('campaign'), id: v.pipe(v.string(), v.maxLength(96)) }),
  /** The person's own texts, to be learned from. Their words pass here, and go on into the database only. */
  v.strictObject({ type: v.literal('ownTexts') }),
  v.strictObject({
    type: v.literal('addOwnText'),
    name: v.pipe(v.string(), v.minLength(1), v.maxLength(MAX_OWN_TEXT_NAME)),
    text: v.pipe(v.string(), v.maxLength(MAX_OWN_TEXT)),
  }),
  v.strictObject({ type: v.literal('removeOwnText'), id: v.pipe(v.number(), v.safeInteger(), v.minValue(0)) }),
  ...walletRequests,
]);
export type PageRequest = v.InferOutput<typeof PageRequest>;

/** What each is answered with. */
interface Results extends WalletResults {
  /** Twelve words with a space between. They pass here and nowhere else. */
  words(): string;
  unlock(): void;
  lock(): void;
  setPassword(): void;
  confirmBackup(): void;
  restore(): void;
  storage(): StorageUse;
  clearStorage(): void;
  campaign(): CampaignSummary;
  ownTexts(): OwnText[];
  addOwnText(): void;
  removeOwnText(): void;
}
export type ResultOf<R extends PageRequest> = ReturnType<Results[R['type']]>;
/** One for each request, so that none is left without an answer. */
export type Answers = { [R in PageRequest as R['type']]: (request: R) => Promise<ResultOf<R>> };

/** The page counts its requests, so that each answer finds its own. */
const RequestId = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/** Page → offscreen document. */
export const FromPage = v.variant('type', [
  Command,
  v.strictObject({ type: v.literal('request'), id: RequestId, request: PageRequest }),
]);
export type FromPage = v.InferOutput<typeof FromPage>;

export type Result = { ok: true; value: unknown } | { ok: false; error: WireError };

/** Offscreen document → page. These never leave the extension, so their types are enough. */
export type Update =
  /** At once after connecting. */
  | { type: 'state'; state: AppState }
  /** The parts that changed, but for the text of the running answer. */
  | { type: 'change'; node?: Omit<AppState, 'conversation'>; conversation?: Turn[] }
  /** Instead of everything else: the offscreen document could not start. */
  | { type: 'broken'; error: WireError }
  /** The running answer grew; it is the last turn. */
  | { type: 'answer'; turn: Turn }
  /** To the one page that asked; what the request changed was shown before. */
  | { type: 'result'; id: number; result: Result };

/** Any page → service worker. */
export const Notice = v.variant('type', [
  /** “Make sure the offscreen document lives”; answered with `true`. */
  v.strictObject({ type: v.literal('wake') }),
  v.strictObject({
    type: v.literal('badge'),
    badge: v.picklist(['off', 'locked', 'waiting', 'contributing', 'error']),
    reason: v.pipe(v.string(), v.maxLength(1024)),
  }),
  /** The second copy of the wallet, which offscreen documents have no store for; answered with `{ text? }`. */
  v.strictObject({ type: v.literal('readCopy') }),
  /** Only ever a sealed wallet. Answered with `true` when it is stored. */
  v.strictObject({
    type: v.literal('writeCopy'),
    text: v.pipe(
      v.string(),
      v.check((text) => decodeRecord(text) !== undefined),
    ),
  }),
]);
export type Notice = v.InferOutput<typeof Notice>;
