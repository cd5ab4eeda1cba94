import { useState } from 'preact/hooks';
import { toAiloError } from '../../shared/errors/index.ts';

export interface Task {
  isBusy: boolean;
  /** What went wrong the last time, as a sentence. */
  error: string | undefined;
  /** Does nothing while it is busy; never rejects. */
  run(work: () => Promise<void>): Promise<void>;
}

/** Something a form waits for. */
export function useTask(): Task {
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<string>();
  return {
    isBusy,
    error,
    async run(work) {
      if (isBusy) return;
      setBusy(true);
      setError(undefined);
      try {
        await work();
      } catch (thrown) {
        setError(toAiloError(thrown).message);
      }
      setBusy(false);
    },
  };
}
