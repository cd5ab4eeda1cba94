import { fileURLToPath } from 'node:url';

/** The folder of ailo-guide, which comes with Ailo: what is served where nobody says otherwise. */
export const BUILT_IN_MODEL = fileURLToPath(new URL('../../shared/guide/ailo-guide', import.meta.url));
export const BUILT_IN_NAME = 'ailo-guide';
