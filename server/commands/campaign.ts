/** `ailo campaign`: trainings of a coordinator, in which nodes take part. */
import { mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { AiloError } from '../../shared/errors/index.ts';
import type { ModelConfig } from '../../shared/model/types.ts';
import { RULE_NAMES } from '../../shared/train/campaign/campaign.ts';
import { MAX_ROUND_MS, MAX_ROUND_WORKERS } from '../../shared/train/campaign/limits.ts';
import { UPLINK_KEEP } from '../../shared/train/codec/limits.ts';
import { promiseOf } from '../../shared/train/group/promise.ts';
import { parameterCount } from '../../shared/train/model/model.ts';
import { campaignsFolder } from '../campaigns/campaigns.ts';
import { type CampaignSettings, createCampaign, type TextsOf } from '../campaigns/create.ts';
import { CampaignFolder } from '../campaigns/folder.ts';
import { describePromise, groupOptions, localSettings } from '../campaigns/groups/options.ts';
import { campaignsOf, createJournal } from '../campaigns/journal.ts';
import type { CampaignState } from '../campaigns/state.ts';
import { type Command, choice, integer, number, type Option, string, usage, type Values } from '../cli.ts';
import { type Database, openDatabase } from '../store/database.ts';
import { DOWNLINK_KEEP } from '../train/aggregator.ts';
import { learningOf, learningOptions, MAX_GRADIENT_NORM, seedOf } from '../train/learning.ts';
import { openForTraining, readText } from '../train/open.ts';

const DATA: Record<string, Option> = {
  dir: { type: 'string', value: 'DIR', description: "the coordinator's data folder (~/.ailo)" },
};
const ID: Record<string, Option> = { id: { type: 'string', value: 'ID', description: 'of the campaign (required)' } };

const DEFAULTS = { minWorkers: 2, quorum: 0.8, graceS: 60, timeoutS: 3600, shards: 16 };

export const campaignCreate: Command = {
  options: {
    ...ID,
    ...DATA,
    ...learningOptions,
    ...groupOptions,
    shards: { type: 'string', value: 'K', description: `parts of the text (default ${DEFAULTS.shards})` },
    aggregator: { type: 'string', value: 'RULE', description: `${RULE_NAMES.join(', ')} (default confirmed)` },
    'min-workers': { type: 'string', value: 'N', description: `begin a round with so many (${DEFAULTS.minWorkers})` },
    'max-workers': { type: 'string', value: 'N', description: `and no more than so many (${MAX_ROUND_WORKERS})` },
    quorum: {
      type: 'string',
      value: 'SHARE',
      description: `of the updates, after which the grace begins (default ${DEFAULTS.quorum})`,
    },
    grace: { type: 'string', value: 'S', description: `seconds the others then still have (${DEFAULTS.graceS})` },
    timeout: { type: 'string', value: 'S', description: `seconds of a round at most (${DEFAULTS.timeoutS})` },
  },
  async run(values, cli) {
    const id = string(values, 'id');
    const seed = seedOf(values);
    const text = await readText(string(values, 'data'));
    const tokenizer = values.tokenizer === undefined ? undefined : string(values, 'tokenizer');
    const opened = await openForTraining({ model: string(values, 'model'), text, tokenizer, seed }, cli.signal);
    const settings = { id, seed, ...settingsOf(values, opened.config) };
    const dataDir = string(values, 'dir', join(homedir(), '.ailo'));
    await mkdir(dataDir, { recursive: true });
    await withDatabase(dataDir, async (database) => {
      const folder = campaignsFolder(dataDir);
      const campaign = await createCampaign({ database, folder, opened, settings, nowMs: Date.now() });
      cli.print(
        `Created ${id}: ${campaign.rounds} rounds of ${campaign.localSteps} steps. A coordinator that runs finds it.`,
      );
      const promise = promiseOf(campaign);
      if (promise) cli.print(describePromise(promise));
      cli.result({ ...campaign, ...(promise && { promise }) });
    });
  },
};

export const campaignList: Command = {
  options: DATA,
  async run(values, cli) {
    await withDatabase(string(values, 'dir', join(homedir(), '.ailo')), async (database) => {
      const states: CampaignState[] = [];
      for (const id of await campaignsOf(database)) {
        const state = await createJournal(database, id).replay();
        if (state) states.push(state);
      }
      if (states.length === 0) cli.print('There is no campaign. `ailo campaign create` makes one.');
      for (const state of states) cli.print(describe(state));
      cli.result({ campaigns: states.map(summary) });
    });
  },
};

export const campaignPause = pausing(true);
export const campaignResume = pausing(false);

function pausing(paused: boolean): Command {
  return {
    options: { ...ID, ...DATA },
    async run(values, cli) {
      const id = string(values, 'id');
      const dataDir = string(values, 'dir', join(homedir(), '.ailo'));
      await withDatabase(dataDir, async (database) => {
        if (!(await campaignsOf(database)).includes(id)) throw AiloError.of('CAMPAIGN_UNKNOWN', { campaign: id });
      });
      await new CampaignFolder(join(campaignsFolder(dataDir), id)).pause(paused);
      cli.print(paused ? `${id} begins no round any more; the running one is finished.` : `${id} goes on.`);
      cli.result({ id, paused });
    },
  };
}

async function withDatabase(dataDir: string, use: (database: Database) => Promise<void>): Promise<void> {
  const database = await openDatabase(join(dataDir, 'ailo.sqlite'));
  try {
    await use(database);
  } finally {
    await database.destroy();
  }
}

function settingsOf(values: Values, config: ModelConfig): Omit<CampaignSettings, 'id' | 'seed'> & TextsOf {
  const learning = learningOf(values, config.maxPositions);
  const { peak } = learning.schedule;
  const groups = localSettings(values, { ...learning, peak, parameters: parameterCount(config) });
  const least = groups?.local.groupSize ?? DEFAULTS.minWorkers;
  const minWorkers = integer(values, 'min-workers', { min: 1, max: MAX_ROUND_WORKERS, default: least });
  const maxWorkers = integer(values, 'max-workers', { min: 1, max: MAX_ROUND_WORKERS, default: MAX_ROUND_WORKERS });
  if (minWorkers > maxWorkers) throw usage('--min-workers must not exceed --max-workers');
  const milliseconds = (name: string, fallback: number) =>
    Math.round(1000 * number(values, name, { min: 0.001, max: MAX_ROUND_MS / 1000, default: fallback }));
  return {
    ...learning,
    ...{ minWorkers, maxWorkers, maxGradientNorm: MAX_GRADIENT_NORM },
    ...{ uplinkKeep: groups?.uplinkKeep ?? UPLINK_KEEP, downlinkKeep: groups?.downlinkKeep ?? DOWNLINK_KEEP },
    aggregator: choice(values, 'aggregator', RULE_NAMES, groups?.aggregator ?? 'confirmed'),
    quorumPermille: Math.ceil(1000 * number(values, 'quorum', { min: 0.001, max: 1, default: DEFAULTS.quorum })),
    graceMs: milliseconds('grace', DEFAULTS.graceS),
    roundTimeoutMs: milliseconds('timeout', DEFAULTS.timeoutS),
    ...(groups
      ? { local: groups.local }
      : { shards: integer(values, 'shards', { min: 1, max: MAX_ROUND_WORKERS, default: DEFAULTS.shards }) }),
  };
}

function summary({ campaign, phase, paused, round, weights, losses }: CampaignState) {
  return {
    id: campaign.id,
    mode: campaign.data.mode,
    phase,
    paused,
    round,
    rounds: campaign.rounds,
    weights,
    loss: losses.at(-1)?.loss ?? null,
  };
}

function describe(state: CampaignState): string {
  const { id, mode, phase, paused, round, rounds, loss } = summary(state);
  const measured = loss === null ? '' : `, loss ${loss.toFixed(4)}`;
  return `${id} (${mode === 'local' ? 'local texts' : 'public texts'}): ${round} of ${rounds} rounds${measured}, ${paused ? 'paused' : phase}`;
}
