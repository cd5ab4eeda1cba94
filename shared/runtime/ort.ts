import type { InferenceSession, Tensor, TensorConstructor, TensorFactory } from 'onnxruntime-common';
import { AiloError } from '../errors/index.ts';
import { MAX_REASON_CHARACTERS } from './limits.ts';

/** The part of the onnxruntime module that is used, whichever package it comes from. */
export interface Ort {
  InferenceSession: {
    create(model: Uint8Array, options?: InferenceSession.SessionOptions): Promise<InferenceSession>;
  };
  Tensor: TensorConstructor & TensorFactory;
}

/** `fetches` names the outputs, null being wherever the engine likes. */
export type RunSession = (
  session: InferenceSession,
  feeds: Readonly<Record<string, Tensor>>,
  fetches: Readonly<Record<string, Tensor | null>>,
) => Promise<Readonly<Record<string, Tensor>>>;

export const runSession: RunSession = (session, feeds, fetches) => session.run(feeds, fetches);

/** Makes a session; `weights` are the bytes of the external data files by name. Throws ENGINE_FAILED. */
export async function createSession(
  ort: Ort,
  onnx: Uint8Array,
  weights: Map<string, Uint8Array>,
  options: InferenceSession.SessionOptions,
): Promise<InferenceSession> {
  const externalData = [...weights].map(([path, data]) => ({ path, data }));
  try {
    return await ort.InferenceSession.create(onnx, { ...options, externalData });
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
