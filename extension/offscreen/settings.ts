import type { Settings } from '../state.ts';
import { getValue, openDatabase } from './database.ts';

/** Set by the build. */
declare const AILO_COORDINATOR_URL: string;

export const DEFAULT_SETTINGS: Settings = {
  coordinatorUrl: AILO_COORDINATOR_URL,
  contributing: false,
  consented: false,
  training: true,
  temperature: 0.7,
  maxNewTokens: 256,
  engine: 'auto',
  memoryMiB: 0,
  autoLockMinutes: 15,
};

/** What was stored, over the defaults. */
export async function readSettings(): Promise<Settings> {
  const database = openDatabase();
  try {
    return { ...DEFAULT_SETTINGS, ...(await getValue(database, 'settings')) };
  } finally {
    database.close();
  }
}
