import { useEffect, useRef } from 'preact/hooks';

/** Does it at once, and again when `version` changes, at most so often; the last change is never missed. */
export function useThrottled(version: string, everyMs: number, work: () => void): void {
  const lastMs = useRef(Number.NEGATIVE_INFINITY);
  useEffect(() => {
    const timer = setTimeout(
      () => {
        lastMs.current = performance.now();
        work();
      },
      Math.max(0, lastMs.current + everyMs - performance.now()),
    );
    return () => clearTimeout(timer);
  }, [version]);
}
