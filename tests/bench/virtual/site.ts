/** The benchmark's page and the weights of its model as chunks, made from a seed. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleCompute } from '../../../extension/compute/bundle.ts';
import type { ModelConfig } from '../../../shared/model/types.ts';
import { initialiser } from '../../../shared/train/initialise.ts';
import { parametersOf } from '../../../shared/train/model/model.ts';
import { writeChunks } from '../../../shared/train/virtual/chunks.ts';
import { bundleForBrowser, openIsolatedSite } from '../../isolated-site.ts';

export interface VirtualSite {
  url: string;
  /** A folder for the browser's profile, which is removed with the site. */
  profileDir: string;
  /** Requests for weights so far. */
  chunkRequests(): number;
  close(): Promise<void>;
}

export async function openVirtualSite(config: ModelConfig, seed: number): Promise<VirtualSite> {
  let requests = 0;
  const scripts = ['page', 'worker'].map((name) => fileURLToPath(new URL(`${name}.ts`, import.meta.url)));
  const fill = async (folder: string) => {
    const chunksFolder = join(folder, 'chunks');
    await mkdir(chunksFolder);
    await bundleCompute(folder);
    await bundleForBrowser(folder, scripts);
    const chunks = await writeChunks(tensorsOf(config, seed), (hash, bytes) =>
      writeFile(join(chunksFolder, hash), bytes),
    );
    await writeFile(join(folder, 'chunks.json'), JSON.stringify(chunks));
  };
  const onRequest = (path: string) => {
    if (path.startsWith('/chunks/')) requests++;
  };
  const site = await openIsolatedSite(fill, { onRequest });
  const profile = await mkdtemp(join(tmpdir(), 'ailo-profile-'));
  return {
    url: site.url,
    profileDir: profile,
    chunkRequests: () => requests,
    async close() {
      await site.close();
      await rm(profile, { recursive: true, force: true });
    },
  };
}

function* tensorsOf(config: ModelConfig, seed: number): Generator<Float32Array> {
  const initial = initialiser(seed);
  for (const parameter of parametersOf(config)) yield initial(parameter);
}
