/** Where a campaign's bytes lie. Weights and the downlink's error feedback have a file for each round. */
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AiloError } from '../../shared/errors/index.ts';
import { type Campaign, modelOf, parseCampaign } from '../../shared/train/campaign/campaign.ts';
import { MAX_STALENESS } from '../../shared/train/campaign/limits.ts';
import { parameterCount, parametersOf } from '../../shared/train/model/model.ts';
import type { TensorStore } from '../../shared/train/store.ts';
import { writeDurably } from '../write-durably.ts';
import { hashFile } from './file-store.ts';
import { WEIGHTS_KEPT } from './limits.ts';

const PAUSED = 'paused';
const MASKED = 'masked';

export interface CampaignData {
  /** Token ids. */
  training: Int32Array;
  validation: Int32Array;
  weights: TensorStore;
  /** Its files, by path. */
  tokenizer: Record<string, Uint8Array>;
}

export class CampaignFolder {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  readonly weights = (round: number): string => join(this.path, `weights-${round}.f32`);
  readonly feedback = (round: number): string => join(this.path, `feedback-${round}.f32`);
  readonly delta = (round: number): string => join(this.path, 'deltas', `${round}.update`);
  readonly update = (unit: string): string => join(this.path, 'updates', `${unit}.update`);
  /** What a member of a running group sent, under its masks. */
  readonly masked = (group: string, wallet: string): string => join(this.path, MASKED, `${group}-${wallet}.u32`);
  readonly file = (name: string): string => join(this.path, name);
  get training(): string {
    return join(this.path, 'training.i32');
  }
  get validation(): string {
    return join(this.path, 'validation.i32');
  }

  /** Throws CAMPAIGN_CORRUPT. */
  async campaign(): Promise<Campaign> {
    try {
      return parseCampaign(JSON.parse(await readFile(join(this.path, 'campaign.json'), 'utf8')));
    } catch (error) {
      throw AiloError.of('CAMPAIGN_CORRUPT', { campaign: this.path, reason: (error as Error).message }, error);
    }
  }

  async tokens(path: string): Promise<Int32Array> {
    const bytes = await readFile(path);
    return new Int32Array(new Uint8Array(bytes).buffer);
  }

  /** Writes everything a campaign begins with; campaign.json comes last, so that a folder that has it is whole. */
  async create(campaign: Campaign, { training, validation, weights, tokenizer }: CampaignData): Promise<void> {
    for (const folder of ['deltas', 'updates', MASKED]) await mkdir(join(this.path, folder), { recursive: true });
    for (const [path, bytes] of Object.entries(tokenizer)) await writeFile(join(this.path, path), bytes);
    await writeFile(this.training, bytesOf(training));
    await writeFile(this.validation, bytesOf(validation));
    const config = modelOf(campaign);
    const file = await open(this.weights(0), 'w');
    try {
      for (const { name } of parametersOf(config)) await file.writeFile(bytesOf(await weights.read(name)));
      await file.sync();
    } finally {
      await file.close();
    }
    await zeros(this.feedback(0), 4 * parameterCount(config));
    await writeDurably(join(this.path, 'campaign.json'), `${JSON.stringify(campaign, null, 2)}\n`);
  }

  /** A file says so, which a command may write while the coordinator runs. */
  isPaused(): Promise<boolean> {
    return stat(join(this.path, PAUSED)).then(
      () => true,
      () => false,
    );
  }

  async pause(paused: boolean): Promise<void> {
    if (paused) await writeFile(join(this.path, PAUSED), '');
    else await rm(join(this.path, PAUSED), { force: true });
  }

  firstWeights(): Promise<string> {
    return hashFile(this.weights(0));
  }

  /** Opens an update that is kept. */
  readonly openUpdate = (unit: string) => createReadStream(this.update(unit));
  /** Opens what a round sent back to all. */
  readonly openDelta = (round: number) => createReadStream(this.delta(round));

  /** Deletes what was sent to all groups but these: their sums are known, or never will be. */
  async tidyMasked(groups: ReadonlySet<string>): Promise<void> {
    for (const file of await readdir(join(this.path, MASKED)).catch(() => [])) {
      if (!groups.has(file.split('-')[0]!)) await rm(join(this.path, MASKED, file), { force: true });
    }
  }

  /** Deletes what no round needs any more. The first weights stay: they and the deltas lead to all others. */
  async tidy(round: number, units: ReadonlySet<string>): Promise<void> {
    for (let old = round - WEIGHTS_KEPT; old > 0 && old > round - WEIGHTS_KEPT - MAX_STALENESS; old--) {
      await rm(this.weights(old), { force: true });
      await rm(this.feedback(old), { force: true });
    }
    if (round > WEIGHTS_KEPT) await rm(this.feedback(0), { force: true });
    for (const file of await readdir(join(this.path, 'updates'))) {
      // What is not finished is about to be renamed.
      if (!units.has(file.split('.')[0]!)) await rm(join(this.path, 'updates', file), { force: true });
    }
  }
}

function bytesOf(values: Int32Array | Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

async function zeros(path: string, bytes: number): Promise<void> {
  const file = await open(path, 'w');
  try {
    await file.truncate(bytes);
  } finally {
    await file.close();
  }
}
