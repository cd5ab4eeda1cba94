import type { InferenceSession, Tensor, TensorConstructor, TensorFactory } from 'onnxruntime-common';
import { AiloError } from '../errors/index.ts';
import { MAX_REASON_CHARACTERS } from './limits.ts';
import type { Staging } from './staging.ts';

/** The part of the onnxruntime module that is used, whichever package it comes from. */
export interface Ort {
  InferenceSession: {
    create(model: Uint8Array, options?: InferenceSession.SessionOptions): Promise<OrtSession>;
  };
  Tensor: TensorConstructor & TensorFactory;
}

/** The part of a session that is used. */
export interface OrtSession {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  /** `fetches` (all outputs): what is wanted, each with the tensor that it goes to or null. */
  run(
    feeds: Readonly<Record<string, Tensor>>,
    fetches?: Readonly<Record<string, Tensor | null>>,
  ): Promise<Readonly<Record<string, Tensor>>>;
  release(): Promise<void>;
}

/** Makes a session; its external data files are what is staged. Throws ENGINE_FAILED. */
export async function createSession(
  ort: Ort,
  onnx: Uint8Array,
  weights: Pick<Staging, 'options'>,
  options: InferenceSession.SessionOptions,
): Promise<OrtSession> {
  try {
    return await ort.InferenceSession.create(onnx, { ...options, ...weights.options() });
  } catch (error) {
    throw engineFailed(error);
  }
}

/** What an engine threw, as ENGINE_FAILED with the first line of its message. */
export function engineFailed(thrown: unknown): AiloError {
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const reason = message.split('\n')[0]!.slice(0, MAX_REASON_CHARACTERS).replace(/\.$/, '');
  return AiloError.of('ENGINE_FAILED', { reason }, thrown);
}
