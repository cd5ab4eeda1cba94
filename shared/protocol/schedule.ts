/** Runs something once after `delayMs`; the answer calls it off. Passed in, so that tests own the clock. */
export type Schedule = (run: () => void, delayMs: number) => () => void;

/** The real clock of every host. */
export const systemSchedule: Schedule = (run, delayMs) => {
  const timer = setTimeout(run, delayMs);
  return () => clearTimeout(timer);
};
