import { fileURLToPath } from 'node:url';

/** The folder of ailo-guide, which comes with Ailo: what is served where nobody says otherwise. */
export const BUILT_IN_MODEL = fileURLToPath(new URL('../../shared/guide/ailo-guide', import.meta.url));
export const BUILT_IN_NAME = 'ailo-guide';

/** A model that lies on this machine: a folder, or the built-in one by its name. */
export function localModel(wished: string): string {
  return wished === BUILT_IN_NAME ? BUILT_IN_MODEL : wished;
}
