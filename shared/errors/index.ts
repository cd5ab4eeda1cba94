/**
 * The one table from an error's code (stable, goes over the wire) to the sentence that a person reads.
 * Each part of the system owns one file of sentences; this file joins them and makes the typed error.
 */
import { cliSentences } from './cli.ts';
import { ledgerSentences } from './ledger.ts';
import { modelSentences } from './model.ts';
import { networkSentences } from './network.ts';
import { runtimeSentences } from './runtime.ts';
import { trainingSentences } from './training.ts';
import { updateSentences } from './updates.ts';
import { walletSentences } from './wallet.ts';

const sentences = {
  ...modelSentences,
  ...runtimeSentences,
  ...trainingSentences,
  ...networkSentences,
  ...ledgerSentences,
  ...walletSentences,
  ...cliSentences,
  ...updateSentences,
};

type Sentences = typeof sentences;
export type ErrorCode = keyof Sentences;
type Details<C extends ErrorCode> = Parameters<Sentences[C]>[0];

/** What crosses a wire of an error: never a stack, never more than the sentence. */
export interface WireError {
  code: ErrorCode;
  message: string;
}

/** An error that is expected somewhere: `code` says which rule was broken, `message` says it to a person. */
export class AiloError extends Error {
  override readonly name = 'AiloError';
  readonly code: ErrorCode;

  private constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  static of<C extends ErrorCode>(code: C, details: Details<C>, cause?: unknown): AiloError {
    const sentence = sentences[code] as (details: Details<C>) => string;
    return new AiloError(code, sentence(details), cause === undefined ? undefined : { cause });
  }

  /** The error a peer sent us; an unknown code (a newer peer) is kept as `INTERNAL` with its sentence. */
  static fromWire(wire: { code: string; message: string }): AiloError {
    return new AiloError(isErrorCode(wire.code) ? wire.code : 'INTERNAL', wire.message);
  }

  toWire(): WireError {
    return { code: this.code, message: this.message };
  }
}

export function isErrorCode(code: string): code is ErrorCode {
  return Object.hasOwn(sentences, code);
}

/** Any thrown value as an `AiloError`; what nobody foresaw becomes `INTERNAL` and keeps its cause for the log. */
export function toAiloError(thrown: unknown): AiloError {
  return thrown instanceof AiloError ? thrown : AiloError.of('INTERNAL', {}, thrown);
}
