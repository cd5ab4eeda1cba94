import type { Log } from '../../shared/node/log.ts';

/** What the browser's console shows of the offscreen document. */
export const log: Log = {
  debug: () => {},
  info: (fields, message) => console.info(message, fields),
  warn: (fields, message) => console.warn(message, fields),
};
