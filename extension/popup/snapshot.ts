/** What the popup showed last, so that it opens with content before the offscreen document answers. */
import type { AppState } from '../state.ts';

const KEY = 'ailo.snapshot';
/** Raised when AppState changes, so that no popup meets the state of an older version. */
const VERSION = 1;
/** More is not seen without scrolling. */
const MAX_TURNS = 10;

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
  const recent = { ...state, conversation: state.conversation.slice(-MAX_TURNS) };
  try {
    storage.setItem(KEY, JSON.stringify({ version: VERSION, state: recent }));
  } catch {
    // Without room for it, the next popup opens empty for a moment.
    storage.removeItem(KEY);
  }
}
