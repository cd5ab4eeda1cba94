/** Asking the coordinator over HTTP: every answer parsed by schema, every failure typed. */
import * as v from 'valibot';
import { throwIfCancelled } from '../errors/cancelled.ts';
import { AiloError } from '../errors/index.ts';
import { WireErrorSchema } from './messages.ts';

export interface ApiOptions {
  /** The coordinator: `http://host:port` or `https://host`. */
  url: string;
  fetch: typeof fetch;
}

export interface Api {
  /** Throws UNREACHABLE, MESSAGE_INVALID (an answer that is none), CANCELLED, and what the coordinator answers. */
  get<S extends v.GenericSchema>(path: string, schema: S, signal?: AbortSignal): Promise<v.InferOutput<S>>;
  post<S extends v.GenericSchema>(
    path: string,
    body: unknown,
    schema: S,
    signal?: AbortSignal,
  ): Promise<v.InferOutput<S>>;
}

/** Nobody waits longer for a page of JSON. */
const TIMEOUT_MS = 30_000;

export function createApi({ url, fetch }: ApiOptions): Api {
  async function ask<S extends v.GenericSchema>(
    path: string,
    schema: S,
    init: RequestInit,
    signal?: AbortSignal,
  ): Promise<v.InferOutput<S>> {
    const timeout = AbortSignal.timeout(TIMEOUT_MS);
    const unreachable = (cause: unknown) => {
      throwIfCancelled(signal);
      return AiloError.of('UNREACHABLE', { url }, cause);
    };
    let response: Response;
    let body: unknown;
    try {
      response = await fetch(new URL(path, url), {
        ...init,
        signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
      });
      const text = await response.text();
      body = parseJson(text);
    } catch (cause) {
      throw unreachable(cause);
    }
    if (!response.ok) {
      const refusal = v.safeParse(WireErrorSchema, body);
      throw refusal.success ? AiloError.fromWire(refusal.output) : unreachable(new Error(`HTTP ${response.status}`));
    }
    const parsed = v.safeParse(schema, body);
    if (parsed.success) return parsed.output;
    const [issue] = parsed.issues;
    const reason = `${v.getDotPath(issue) ?? 'it'}: ${issue.message}`.slice(0, 200);
    throw AiloError.of('MESSAGE_INVALID', { type: path, reason });
  }

  return {
    get: (path, schema, signal) => ask(path, schema, {}, signal),
    post: (path, body, schema, signal) =>
      ask(
        path,
        schema,
        { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) },
        signal,
      ),
  };
}

/** Undefined where it is none. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
