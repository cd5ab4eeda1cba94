/** What a person at a terminal is told of a download. */

import { durationInWords, remainingMs } from '../../shared/node/remaining.ts';

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
    const leftMs = known && remainingMs(now() - known.sinceMs, loaded - known.sinceBytes, total - loaded);
    const left = leftMs === undefined ? '' : `, ${durationInWords(leftMs)} left`;
    print(`Downloading ${path}: ${megabytes(loaded)} of ${megabytes(total)} MB${left}`);
  };
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1e6);
}
