/** How long a download still takes. Pure. */

/** Milliseconds for the bytes that are left, at the speed so far; undefined where there is no telling. */
export function remainingMs(elapsedMs: number, loadedBytes: number, leftBytes: number): number | undefined {
  if (leftBytes <= 0 || loadedBytes <= 0 || elapsedMs <= 0) return undefined;
  return Math.ceil((elapsedMs / loadedBytes) * leftBytes);
}

/** “40 s”, “12 min”, “3 h”. */
export function durationInWords(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  if (seconds < 90) return `${seconds} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3600)} h`;
}
