import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { engineFailed } from '../../shared/runtime/ort.ts';
import type { Staging } from '../../shared/runtime/staging.ts';
import { collectGarbage } from './collect.ts';

const PREFIX = 'ailo-stage-';
/** Weights that may have been put, and forgotten, until memory is given back. */
const COLLECT_BYTES = 32 * 2 ** 20;

/**
 * Weights as files in a folder of their own below `parent`, gone as soon as the session is made. onnxruntime maps them
 * into memory and lets go of each as it packs it, so that a stage's weights are in memory once; of what it does not pack
 * (an embedding), only the pages that are used. Given as buffers they are there twice and more.
 * Throws ENGINE_FAILED where they cannot be written.
 */
export async function folderStaging(parent: string): Promise<Staging> {
  const folder = await written(async () => {
    await mkdir(parent, { recursive: true });
    await forgetTheDead(parent);
    return mkdtemp(join(parent, `${PREFIX}${process.pid}-`));
  });
  let uncollectedBytes = 0;
  return {
    async put(name, bytes) {
      await written(() => writeFile(join(folder, name), bytes, { flag: 'wx' }));
      uncollectedBytes += bytes.length;
      if (uncollectedBytes < COLLECT_BYTES) return;
      collectGarbage();
      uncollectedBytes = 0;
    },
    options() {
      collectGarbage();
      return { extra: { session: { model_external_initializers_file_folder_path: folder } } };
    },
    clear: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Removes what processes left that were killed while they loaded a stage. */
async function forgetTheDead(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const pid = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) await rm(join(parent, name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, and is somebody else's.
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

async function written<T>(write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    throw engineFailed(error);
  }
}
