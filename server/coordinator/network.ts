/** The network that a data folder keeps, with the rules that were asked for when it was founded. */
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import * as v from 'valibot';
import { AiloError } from '../../shared/errors/index.ts';
import { type Genesis, GenesisSchema } from '../../shared/ledger/genesis.ts';
import { type NetworkFiles, openNetworkFiles } from '../ledger/network-files.ts';

const { name, transfer, activity, inference, training, issuance } = GenesisSchema.entries;

/** Rules of a private network that differ from the defaults; its key and time are never chosen. */
export const GenesisOverrides = v.strictObject({
  name: v.optional(name),
  transfer: v.optional(v.partial(transfer)),
  activity: v.optional(v.partial(activity)),
  inference: v.optional(v.partial(inference)),
  training: v.optional(v.partial(training)),
  issuance: v.optional(v.partial(issuance)),
});
export type GenesisOverrides = v.InferOutput<typeof GenesisOverrides>;

const DEFAULT_NAME = 'Ailo';

/**
 * Opens the network of `folder`, or founds it there. Throws NETWORK_FILES_UNUSABLE, also when it was founded with other
 * rules than `overrides`, and GENESIS_INVALID for overrides that make no network.
 */
export async function openNetwork(folder: string, overrides: GenesisOverrides = {}): Promise<NetworkFiles> {
  const files = await openNetworkFiles(folder, {
    name: DEFAULT_NAME,
    now: () => Date.now(),
    adjust: (genesis) => overridden(genesis, overrides),
  });
  if (!isDeepStrictEqual(overridden(files.genesis, overrides), files.genesis)) {
    const reason = 'its network was founded with other rules than are asked for now';
    throw AiloError.of('NETWORK_FILES_UNUSABLE', { path: join(folder, 'genesis.json'), reason });
  }
  return files;
}

function overridden(genesis: Genesis, overrides: GenesisOverrides): Genesis {
  const changed: Record<string, unknown> = { ...genesis };
  for (const [key, value] of Object.entries(overrides)) {
    const before = changed[key];
    changed[key] = typeof before === 'object' && typeof value === 'object' ? { ...before, ...value } : value;
  }
  // Whatever was put in, founding parses it as a genesis file.
  return changed as unknown as Genesis;
}
