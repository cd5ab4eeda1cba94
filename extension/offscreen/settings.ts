import type { Settings } from '../state.ts';
import { getValue, openDatabase, type StoredSettings } from './database.ts';

/** Set by the build. */
declare const AILO_COORDINATOR_URL: string;

export const DEFAULT_SETTINGS: Settings = {
  coordinatorUrl: AILO_COORDINATOR_URL,
  contributing: false,
  consented: false,
  training: 'public',
  temperature: 0.7,
  maxNewTokens: 256,
  engine: 'auto',
  memoryMiB: 0,
  autoLockMinutes: 15,
};

/** What was stored, over the defaults. */
export function settingsOf(stored: StoredSettings = {}): Settings {
  const { training, ...rest } = stored;
  const choice = typeof training === 'boolean' ? TRAINED[`${training}`] : training;
  return { ...DEFAULT_SETTINGS, ...rest, ...(choice && { training: choice }) };
}

/** What the choice was called while public texts were all there was. */
const TRAINED = { true: 'public', false: 'off' } as const;

/** As `settingsOf`. */
export async function readSettings(): Promise<Settings> {
  const database = openDatabase();
  try {
    return settingsOf(await getValue(database, 'settings'));
  } finally {
    database.close();
  }
}
