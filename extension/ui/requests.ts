/** A page's requests that wait for their answers. */
import { AiloError } from '../../shared/errors/index.ts';
import type { FromPage, PageRequest, Result, ResultOf } from '../messages.ts';

export interface Requests {
  /** Rejects with what `post` throws, with the AiloError that was answered, or with the one they are lost by. */
  request<R extends PageRequest>(request: R): Promise<ResultOf<R>>;
  /** The answer to the request `id`; one that nobody waits for is forgotten. */
  settle(id: number, result: Result): void;
  /** None of those that wait will be answered. */
  lose(error: AiloError): void;
}

export function createRequests(post: (message: FromPage) => void): Requests {
  const open = new Map<number, (result: unknown) => void>();
  let nextId = 0;

  return {
    async request(request) {
      const id = nextId++;
      post({ type: 'request', id, request });
      return new Promise((resolve) => open.set(id, resolve as (result: unknown) => void));
    },
    settle(id, result) {
      const resolve = open.get(id);
      open.delete(id);
      resolve?.(result.ok ? result.value : Promise.reject(AiloError.fromWire(result.error)));
    },
    lose(error) {
      for (const resolve of open.values()) resolve(Promise.reject(error));
      open.clear();
    },
  };
}
