import { applyUpdate } from '../../../shared/train/aggregate/apply.ts';
import type { LocalData } from '../../../shared/train/campaign/campaign.ts';
import { encodeUpdate } from '../../../shared/train/codec/encode.ts';
import type { UpdateFormat } from '../../../shared/train/codec/format.ts';
import { spaceValues } from '../../../shared/train/codec/space.ts';
import { memoryStore } from '../../../shared/train/codec/store.ts';
import type { Aggregator } from '../../../shared/train/federation/aggregator.ts';
import { flatStore, spaceOf } from '../../../shared/train/flat.ts';
import { contributionOf } from '../../../shared/train/group/contribution.ts';
import type { SecureRandom } from '../../../shared/train/group/noise.ts';
import { indicesOf, placesOf } from '../../../shared/train/group/places.ts';
import { dequantise } from '../../../shared/train/group/quantise.ts';

export interface GroupOptions {
  data: LocalData;
  /** Values of a block that are summed, and that come back. */
  keep: number;
  downlink: UpdateFormat;
  seed: number;
  random: SecureRandom;
}

/** All workers as one group, as a campaign of local texts joins them; without masks, which change nothing of the sum. */
export function groupAggregator({ data, keep, downlink, seed, random }: GroupOptions): Aggregator {
  const feedback: Float32Array[] = [];
  let behind: Float32Array | undefined;
  let round = 0;
  return {
    async advance(model, parameters, contributions) {
      const space = spaceOf(parameters);
      const places = placesOf(seed, round, keep);
      const start = new Float32Array(spaceValues(space));
      const view = flatStore(start, parameters);
      for (const { name } of parameters) (await view.read(name)).set(await model.read(name));
      let sum: Int32Array | undefined;
      for (const [worker, { end }] of contributions.entries()) {
        const delta = start.slice();
        const views = flatStore(delta, parameters);
        for (const { name } of parameters) {
          const learned = await end.read(name);
          const tensor = await views.read(name);
          for (let i = 0; i < tensor.length; i++) tensor[i]! -= learned[i]!;
        }
        feedback[worker] ??= new Float32Array(start.length);
        const steps = contributionOf(delta, feedback[worker], { space, places, data, random });
        sum = sum?.map((total, i) => total + steps[i]!) ?? steps;
      }
      const mean = dequantise(sum!, data.clip, contributions.length);
      const joint = new Float32Array(start.length);
      let at = 0;
      for (const index of indicesOf(space, places)) joint[index] = mean[at++]!;
      behind ??= new Float32Array(start.length);
      const header = { campaign: 'bench', round, unit: new Uint8Array(16), start: new Uint8Array(32) };
      const back: Uint8Array[] = [];
      for await (const chunk of encodeUpdate(header, space, downlink, [joint], memoryStore(behind))) back.push(chunk);
      await applyUpdate(back, space, downlink, memoryStore(start));
      for (const { name } of parameters) await model.write(name, (await view.read(name)).slice());
      round++;
    },
  };
}
