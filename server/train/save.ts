import { mkdir, open, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ModelConfig } from '../../shared/model/types.ts';
import { floatToHalf } from '../../shared/tensor/half.ts';
import { configJson, safetensorsHeader } from '../../shared/train/hugging-face.ts';
import { parametersOf } from '../../shared/train/model/model.ts';
import type { TensorStore } from '../../shared/train/store.ts';

/**
 * Writes a model as a folder in Hugging Face layout, the weights tensor by tensor and last: a folder that had a model
 * keeps it until the new one is whole. `files` are the tokenizer's; F16 is binary16.
 */
export async function saveModel(
  folder: string,
  config: ModelConfig,
  weights: TensorStore,
  files: Readonly<Record<string, Uint8Array>>,
  dtype: 'F32' | 'F16' = 'F32',
): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [path, bytes] of Object.entries(files)) await writeFile(join(folder, path), bytes);
  await writeFile(join(folder, 'config.json'), `${JSON.stringify(configJson(config), null, 2)}\n`);
  const target = join(folder, 'model.safetensors');
  const unfinished = `${target}.unfinished`;
  const file = await open(unfinished, 'w');
  try {
    const parameters = parametersOf(config);
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
