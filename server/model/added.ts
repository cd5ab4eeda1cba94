/** The models that `ailo model add` put into a data folder, in a file there: what `ailo serve` serves. */
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as v from 'valibot';
import { AiloError } from '../../shared/errors/index.ts';
import { QUANTS } from '../../shared/graph/types.ts';
import { decodeJson, parseValue } from '../../shared/model/json.ts';
import { MAX_STAGES } from '../../shared/protocol/limits.ts';

const MAX_ADDED = 256;
const count = (max: number) => v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(max));

const AddedModel = v.strictObject({
  id: v.pipe(v.string(), v.regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,95}$/, 'not a model id')),
  name: v.pipe(v.string(), v.minLength(1), v.maxLength(96)),
  /** Where it lies. */
  dir: v.pipe(v.string(), v.minLength(1), v.maxLength(4096)),
  /** Where it came from; its files then belong to the data folder. */
  source: v.optional(
    v.strictObject({ repo: v.string(), revision: v.pipe(v.string(), v.regex(/^[0-9a-f]{40}$/, 'not a commit')) }),
  ),
  stages: v.optional(count(MAX_STAGES)),
  quant: v.picklist(QUANTS),
  contextLength: v.optional(count(2 ** 24)),
});
export type AddedModel = v.InferOutput<typeof AddedModel>;

const AddedModels = v.strictObject({
  version: v.literal(1),
  models: v.pipe(
    v.array(AddedModel),
    v.maxLength(MAX_ADDED),
    v.check((models) => new Set(models.map(({ id }) => id)).size === models.length, 'an id is there twice'),
  ),
});

/** In the order in which they were added. Throws ADDED_MODELS_INVALID. */
export async function addedModels(dataDir: string): Promise<AddedModel[]> {
  const path = fileOf(dataDir);
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw AiloError.of('ADDED_MODELS_INVALID', { path, reason: (error as Error).message });
  }
  const invalid = (reason: string) => AiloError.of('ADDED_MODELS_INVALID', { path, reason });
  return parseValue(AddedModels, decodeJson(bytes, invalid), invalid).models;
}

/** The file holds either what it held or this. Throws ADDED_MODELS_INVALID for what it would not read again. */
export async function keepAddedModels(dataDir: string, models: AddedModel[]): Promise<void> {
  const path = fileOf(dataDir);
  const content = { version: 1, models };
  parseValue(AddedModels, content, (reason) => AiloError.of('ADDED_MODELS_INVALID', { path, reason }));
  await mkdir(dataDir, { recursive: true });
  const temporary = `${path}.${randomUUID()}`;
  try {
    await writeFile(temporary, `${JSON.stringify(content, null, 2)}\n`, { flag: 'wx', flush: true });
    await rename(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
}

function fileOf(dataDir: string): string {
  return join(dataDir, 'models.json');
}
