import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Writes a file that is there, whole, after a power cut, or as it was before. `mode`: its permissions. */
export async function writeDurably(path: string, content: string | Uint8Array, mode = 0o644): Promise<void> {
  const partial = `${path}.partial`;
  const file = await open(partial, 'w', mode);
  try {
    await file.chmod(mode);
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(partial, path);
  // Without this the new name may not survive a power cut. Windows can't open folders, and needs no such thing.
  if (process.platform === 'win32') return;
  const folder = await open(dirname(path));
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
