/**
 * What the popup showed last, so that it opens with figures before the offscreen document answers. The conversation is
 * private: it stays where the offscreen document keeps it.
 */
import type { AppState } from '../state.ts';

const KEY = 'ailo.snapshot';
/** Raised when AppState changes, so that no popup meets the state of an older version. */
const VERSION = 3;

export function readSnapshot(storage: Storage): AppState | undefined {
  try {
    const { version, state } = JSON.parse(storage.getItem(KEY) ?? '{}');
    return version === VERSION ? state : undefined;
  } catch {
    return undefined;
  }
}

export function writeSnapshot(storage: Storage, state: AppState | undefined): void {
  if (!state) return;
  const shown: AppState = { ...state, conversation: [] };
  try {
    storage.setItem(KEY, JSON.stringify({ version: VERSION, state: shown }));
  } catch {
    // Without room for it, the next popup opens empty for a moment.
    storage.removeItem(KEY);
  }
}
