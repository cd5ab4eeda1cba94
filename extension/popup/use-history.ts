import { useRef, useState } from 'preact/hooks';
import { type AiloError, toAiloError } from '../../shared/errors/index.ts';
import { request } from '../ui/link.ts';
import { useThrottled } from '../ui/use-throttled.ts';
import { type LoadedHistory, loadHistory } from './load-history.ts';

/** Transactions that are shown more at a time. */
const STEP = 20;
/** While the ledger is verified it moves many times a second. */
export const REFRESH_EVERY_MS = 400;

export interface History {
  /** Absent until it came for the first time; what came stays when it cannot be renewed. */
  loaded?: LoadedHistory;
  error?: AiloError;
  loadOlder(): void;
}

/** The wallet's history, renewed as far as it is shown when `version` changes. */
export function useHistory(version: string): History {
  const [state, setState] = useState<Pick<History, 'loaded' | 'error'>>({});
  const wanted = useRef(STEP);
  const newest = useRef(0);

  async function load() {
    const mine = ++newest.current;
    const set = (next: (before: typeof state) => typeof state) => mine === newest.current && setState(next);
    try {
      const loaded = await loadHistory(request, wanted.current);
      set(() => ({ loaded }));
    } catch (thrown) {
      set((before) => ({ ...before, error: toAiloError(thrown) }));
    }
  }

  useThrottled(version, REFRESH_EVERY_MS, load);
  return {
    ...state,
    loadOlder() {
      wanted.current += STEP;
      void load();
    },
  };
}
