/** Finetuning by low-rank adapters, as the command line says it. */
import { MAX_ADAPTER_RANK } from '../../shared/model/limits.ts';
import type { Corpus } from '../../shared/train/corpus.ts';
import { initialiser } from '../../shared/train/initialise.ts';
import { type AdaptedConfig, mergedStore, type TrainingConfig } from '../../shared/train/model/lora.ts';
import { trainedOf } from '../../shared/train/model/model.ts';
import { PRESET_NAMES } from '../../shared/train/presets.ts';
import { storeOver } from '../../shared/train/store.ts';
import { integer, number, type Option, usage, type Values } from '../cli.ts';
import type { OpenedModel, Wanted } from './open.ts';
import { saveAdapter, saveModel } from './save.ts';

export const loraOptions: Record<string, Option> = {
  'lora-rank': {
    type: 'string',
    value: 'R',
    description: "train adapters of this rank beside a model's matrices, which stay as they are",
  },
  'lora-alpha': {
    type: 'string',
    value: 'A',
    description: 'what they add counts A / R times (default twice the rank)',
  },
  merge: { type: 'boolean', description: 'save the model with the adapters in its matrices, not the adapters alone' },
};

export interface ToTrain {
  opened: Omit<OpenedModel<Corpus>, 'config'> & { config: TrainingConfig };
  save(folder: string): Promise<void>;
}

/** The model as it is, or with adapters that are trained instead of it. Throws USAGE. */
export function adaptedOf(values: Values, opened: OpenedModel<Corpus>, { model, seed }: Wanted): ToTrain {
  const { config: base, weights: frozen, files } = opened;
  if (values['lora-rank'] === undefined) {
    for (const option of ['lora-alpha', 'merge']) {
      if (values[option] !== undefined) throw usage(`--${option} goes with --lora-rank`);
    }
    return { opened, save: (folder) => saveModel(folder, base, frozen, files) };
  }
  if (PRESET_NAMES.some((name) => name === model)) throw usage('--lora-rank needs the folder of a model, not a preset');
  const rank = integer(values, 'lora-rank', { min: 1, max: MAX_ADAPTER_RANK, default: 1 });
  const alpha = number(values, 'lora-alpha', { min: 0, max: 1e6, default: 2 * rank });
  const config: AdaptedConfig = { ...base, lora: { rank, alpha } };
  const weights = storeOver(frozen, trainedOf(config), initialiser(seed));
  const save = (folder: string) =>
    values.merge
      ? saveModel(folder, base, mergedStore(config, weights), files)
      : saveAdapter(folder, config, weights, model);
  return { opened: { ...opened, config, weights }, save };
}
