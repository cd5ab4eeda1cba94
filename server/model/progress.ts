/** What a person at a terminal is told of a download. */

/** One line a tenth of a large file is news enough. */
const STEPS = 10;
const QUIET_BYTES = 10 * 2 ** 20;

/** Says each tenth of a large file once, with the time that is left, and nothing of what was there already. */
export function progressLines(
  print: (line: string) => void,
  now: () => number,
): (path: string, loaded: number, total: number) => void {
  const files = new Map<string, { step: number; sinceMs: number; sinceBytes: number }>();
  return (path, loaded, total) => {
    const step = Math.floor((STEPS * loaded) / total);
    const known = files.get(path);
    files.set(path, { sinceMs: now(), sinceBytes: loaded, ...known, step });
    if (total < QUIET_BYTES || step === (known?.step ?? STEPS)) return;
    const left = known && timeLeft(now() - known.sinceMs, loaded - known.sinceBytes, total - loaded);
    print(`Downloading ${path}: ${megabytes(loaded)} of ${megabytes(total)} MB${left ? `, ${left} left` : ''}`);
  };
}

/** As long as the rest takes at the speed so far, in words; undefined where there is no telling. */
export function timeLeft(elapsedMs: number, loadedBytes: number, leftBytes: number): string | undefined {
  if (leftBytes <= 0 || loadedBytes <= 0 || elapsedMs <= 0) return undefined;
  const seconds = Math.ceil(((elapsedMs / loadedBytes) * leftBytes) / 1000);
  if (seconds < 90) return `${seconds} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${Math.round(seconds / 3600)} h`;
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1e6);
}
