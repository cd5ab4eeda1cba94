import { useRef, useState } from 'preact/hooks';
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
  // State changes with the next render; a second click may come before.
  const isRunning = useRef(false);
  return {
    isBusy,
    error,
    async run(work) {
      if (isRunning.current) return;
      isRunning.current = true;
      setBusy(true);
      setError(undefined);
      try {
        await work();
      } catch (thrown) {
        setError(toAiloError(thrown).message);
      }
      isRunning.current = false;
      setBusy(false);
    },
  };
}
