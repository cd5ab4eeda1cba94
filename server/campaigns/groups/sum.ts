/** Adds up what a group's members sent, takes the masks away, and keeps the mean as one update like any other. */
import { readFile } from 'node:fs/promises';
import { concatBytes, hexToBytes } from '@noble/hashes/utils.js';
import { sha256Hex } from '../../../shared/bytes/sha256.ts';
import { AiloError } from '../../../shared/errors/index.ts';
import { measureUpdate } from '../../../shared/train/aggregate/measure.ts';
import { type Campaign, type LocalData, modelOf, uplinkOf } from '../../../shared/train/campaign/campaign.ts';
import { encodeHeader } from '../../../shared/train/codec/format.ts';
import { spaceOf } from '../../../shared/train/flat.ts';
import { countPlaces, placesOf } from '../../../shared/train/group/places.ts';
import { dequantise } from '../../../shared/train/group/quantise.ts';
import { unmask } from '../../../shared/train/group/unmask.ts';
import { parametersOf } from '../../../shared/train/model/model.ts';
import { writeDurably } from '../../write-durably.ts';
import type { CampaignFolder } from '../folder.ts';
import type { Update } from '../state.ts';
import { asked, type Group, survivorsOf } from './group.ts';

/** Bytes of what each member of a group sends: a 32-bit word for each value. */
export function maskedBytes({ seed, uplinkKeep, ...campaign }: Campaign, round: number): number {
  return 4 * countPlaces(spaceOf(parametersOf(modelOf(campaign))), placesOf(seed, round, uplinkKeep));
}

/** The same group gives the same bytes. Throws GROUP_UNSUMMED, UPDATE_INVALID. */
export async function sumGroup(
  folder: CampaignFolder,
  campaign: Campaign,
  data: LocalData,
  group: Group,
): Promise<Update> {
  const survivors = survivorsOf(group);
  const sum = new Uint32Array(maskedBytes(campaign, group.round) / 4);
  for (const wallet of survivors) add(sum, await readFile(folder.masked(group.id, wallet)));
  const { id: unit, members, threshold, keys, reveal: revealed } = group;
  await unmask(sum, { unit, members, threshold, keys, sharers: asked(group, 'updates'), survivors, revealed });
  const mean = dequantise(new Int32Array(sum.buffer), data.clip, survivors.length);
  const space = spaceOf(parametersOf(modelOf(campaign)));
  const format = uplinkOf(campaign, group.round);
  const start = hexToBytes(group.start);
  const header = encodeHeader(
    { campaign: campaign.id, round: group.round, unit: hexToBytes(unit), start },
    space,
    format,
  );
  const bytes = concatBytes(header, littleEndian(mean));
  const { norm, values } = await measureUpdate([bytes], space, format);
  if (!(norm > 0)) throw AiloError.of('UPDATE_INVALID', { reason: 'it changes nothing' });
  await writeDurably(folder.update(unit), bytes);
  const arrivedMs = Math.max(...Object.values(group.updates).map((update) => update.arrivedMs));
  return { hash: await sha256Hex(bytes), bytes: bytes.length, norm, values, arrivedMs };
}

function add(sum: Uint32Array, bytes: Uint8Array): void {
  const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let i = 0; i < sum.length; i++) sum[i]! += words.getUint32(4 * i, true);
}

function littleEndian(values: Float32Array): Uint8Array {
  const view = new DataView(new ArrayBuffer(values.byteLength));
  for (const [i, value] of values.entries()) view.setFloat32(4 * i, value, true);
  return new Uint8Array(view.buffer);
}
