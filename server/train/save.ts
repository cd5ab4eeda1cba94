import { mkdir, open, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ADAPTER_CONFIG_FILE, ADAPTER_WEIGHTS_FILE } from '../../shared/model/adapter.ts';
import type { ModelConfig } from '../../shared/model/types.ts';
import { SINGLE_FILE } from '../../shared/model/weights.ts';
import { floatToHalf } from '../../shared/tensor/half.ts';
import { adapterConfigJson, configJson, safetensorsHeader } from '../../shared/train/hugging-face.ts';
import type { Parameter } from '../../shared/train/model/family.ts';
import type { AdaptedConfig } from '../../shared/train/model/lora.ts';
import { parametersOf, trainedOf } from '../../shared/train/model/model.ts';
import type { TensorStore } from '../../shared/train/store.ts';

type ReadableStore = Pick<TensorStore, 'read'>;

/**
 * Writes a model as a folder in Hugging Face layout, the weights tensor by tensor and last: a folder that had a model
 * keeps it until the new one is whole. `files` are the tokenizer's; F16 is binary16.
 */
export async function saveModel(
  folder: string,
  config: ModelConfig,
  weights: ReadableStore,
  files: Readonly<Record<string, Uint8Array>>,
  dtype: 'F32' | 'F16' = 'F32',
): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [path, bytes] of Object.entries(files)) await writeFile(join(folder, path), bytes);
  await writeJson(join(folder, 'config.json'), configJson(config));
  await writeTensors(join(folder, SINGLE_FILE), parametersOf(config), weights, dtype);
}

/** Writes the adapters alone, as PEFT does; `base` says which model they are for. */
export async function saveAdapter(
  folder: string,
  config: AdaptedConfig,
  weights: ReadableStore,
  base: string,
): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeJson(join(folder, ADAPTER_CONFIG_FILE), adapterConfigJson(config, base));
  await writeTensors(join(folder, ADAPTER_WEIGHTS_FILE), trainedOf(config), weights, 'F32');
}

function writeJson(path: string, value: object): Promise<void> {
  return writeFile(path, `${JSON.stringify(value, null, 2)}\n`);
}

async function writeTensors(
  target: string,
  parameters: readonly Parameter[],
  weights: ReadableStore,
  dtype: 'F32' | 'F16',
): Promise<void> {
  const unfinished = `${target}.unfinished`;
  const file = await open(unfinished, 'w');
  try {
    await file.writeFile(safetensorsHeader(parameters, dtype));
    for (const { name } of parameters) {
      const read = await weights.read(name);
      const values = dtype === 'F16' ? floatToHalf(read) : read;
      await file.writeFile(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    }
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(unfinished, target);
}
