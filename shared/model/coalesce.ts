import { throwIfCancelled } from '../errors/cancelled.ts';
import { AiloError } from '../errors/index.ts';

interface Flight<T> {
  result: Promise<T>;
  waiting: number;
  abort: AbortController;
}

/**
 * Runs one piece of work per key at a time: whoever asks for a key that is under way waits for the same result. A
 * waiter whose signal fires leaves with CANCELLED; the work itself is aborted when the last one has left.
 */
export function coalesce<T>(): (
  key: string,
  work: (signal: AbortSignal) => Promise<T>,
  signal?: AbortSignal,
) => Promise<T> {
  const flights = new Map<string, Flight<T>>();

  const takeOff = (key: string, work: (signal: AbortSignal) => Promise<T>): Flight<T> => {
    const abort = new AbortController();
    const flight: Flight<T> = { result: work(abort.signal), waiting: 0, abort };
    const land = () => {
      if (flights.get(key) === flight) flights.delete(key);
    };
    flight.result.then(land, land);
    flights.set(key, flight);
    return flight;
  };

  return async (key, work, signal) => {
    throwIfCancelled(signal);
    const flight = flights.get(key) ?? takeOff(key, work);
    flight.waiting++;
    let leave = () => {};
    const left = new Promise<never>((_, reject) => {
      leave = () => reject(AiloError.of('CANCELLED', {}, signal?.reason));
    });
    signal?.addEventListener('abort', leave);
    try {
      return await Promise.race([flight.result, left]);
    } finally {
      signal?.removeEventListener('abort', leave);
      if (--flight.waiting === 0) {
        if (flights.get(key) === flight) flights.delete(key);
        flight.abort.abort();
      }
    }
  };
}
