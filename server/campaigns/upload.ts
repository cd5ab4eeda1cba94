/** An update comes in: what can be said of it at once, before it waits for its cohort. */
import { bytesToHex } from '@noble/hashes/utils.js';
import { AiloError } from '../../shared/errors/index.ts';
import { measureUpdate } from '../../shared/train/aggregate/measure.ts';
import { type Campaign, formatsOf, modelOf } from '../../shared/train/campaign/campaign.ts';
import { codecOf } from '../../shared/train/codec/format.ts';
import { blocksOf, slabsOf } from '../../shared/train/codec/space.ts';
import { spaceOf } from '../../shared/train/flat.ts';
import { parameterCount, parametersOf } from '../../shared/train/model/model.ts';
import type { Unit, Update } from './state.ts';

/** Room for the header of an update. */
const HEADER_BYTES = 512;

/** No update of the campaign has more bytes. */
export function maxUpdateBytes(campaign: Campaign): number {
  // Under masks, every value is a word.
  if (campaign.data.mode === 'local') return 4 * parameterCount(modelOf(campaign));
  const { maxBlockBytes } = codecOf(formatsOf(campaign).uplink);
  let blocks = 0;
  for (const slab of slabsOf(spaceOf(parametersOf(modelOf(campaign))))) blocks += blocksOf(slab);
  return HEADER_BYTES + blocks * maxBlockBytes;
}

/** Reads the update to its end. Throws UPDATE_INVALID with the reason. */
export async function examine(
  campaign: Campaign,
  unit: Unit,
  bytes: Uint8Array,
): Promise<Pick<Update, 'norm' | 'values'>> {
  const space = spaceOf(parametersOf(modelOf(campaign)));
  const { header, norm, values } = await measureUpdate([bytes], space, formatsOf(campaign).uplink);
  if (header.campaign !== campaign.id) throw invalid('it belongs to another campaign');
  if (bytesToHex(header.unit) !== unit.id || header.round !== unit.round) throw invalid('it belongs to another unit');
  if (bytesToHex(header.start) !== unit.start) throw invalid('it starts from other weights than were assigned');
  if (!(norm > 0)) throw invalid('it changes nothing');
  return { norm, values };
}

function invalid(reason: string): AiloError {
  return AiloError.of('UPDATE_INVALID', { reason });
}
