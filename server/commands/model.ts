/** `ailo model …`: what a coordinator's data folder holds to be served, and what Ailo is made for. */
import { readFile, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve, sep } from 'node:path';
import { AiloError } from '../../shared/errors/index.ts';
import { parameterCount } from '../../shared/graph/parameters.ts';
import { QUANTS } from '../../shared/graph/types.ts';
import { CATALOGUE, type CatalogueEntry } from '../../shared/model/catalogue.ts';
import type { ModelConfig } from '../../shared/model/types.ts';
import { budgetOfEach, fewestNodes } from '../../shared/plan/room-figures.ts';
import { MAX_STAGES } from '../../shared/protocol/limits.ts';
import { type Cli, type Command, choice, integer, type Option, string, usage, type Values } from '../cli.ts';
import { MAX_SEQUENCES } from '../coordinator/limits.ts';
import { openModel } from '../coordinator/model-store.ts';
import { type AddedModel, addedModels, keepAddedModels } from '../model/added.ts';
import { commitOf, downloadHubModel } from '../model/hub.ts';
import { checkedToken, keepHubToken, readHubToken } from '../model/hub-token.ts';
import { hubOptions, isCommit, isFolder, named } from '../model/resolve.ts';
import { askSecret } from '../terminal.ts';

const DATA: Option = { type: 'string', value: 'DIR', description: "the coordinator's data folder (~/.ailo)" };
const DEFAULT_BRANCH = 'main';
/** What one WebAssembly heap can be: no browser gives a stage more. */
const MOST_OF_A_NODE_BYTES = 4 * 2 ** 30;

export const modelAdd: Command = {
  argument: {
    key: 'wished',
    value: 'DIR|HUB_ID',
    description: 'a folder, a hub model owner/name, or a name that `ailo model list` tells',
  },
  options: {
    data: DATA,
    id: { type: 'string', value: 'ID', description: "what it is called in the network (the folder's name)" },
    revision: { type: 'string', value: 'REV', description: 'commit, branch or tag of a hub model; kept as its commit' },
    nodes: { type: 'string', value: 'N', description: "a room of exactly N parts (the catalogue's, or as few as fit)" },
    quant: { type: 'string', value: 'QUANT', description: `${QUANTS.join(', ')} (the catalogue's, or f32)` },
    context: { type: 'string', value: 'N', description: "longest text in tokens (2048 or the model's own, if less)" },
    'token-file': {
      type: 'string',
      value: 'FILE',
      description: 'hub token for a gated model (or HF_TOKEN); it is kept sealed',
    },
  },

  async run(values, cli) {
    const dataDir = dataOf(values);
    const added = await addedModels(dataDir);
    const { dir, source, entry } = await obtain(values, cli, dataDir);
    const room = {
      quant: choice(values, 'quant', QUANTS, entry?.room.quant ?? 'f32'),
      ...count(values, 'nodes', MAX_STAGES, 'stages', entry?.room.nodes),
      ...count(values, 'context', 2 ** 24, 'contextLength', entry?.room.contextLength),
    };
    const chosen = typeof values.id === 'string' ? { id: values.id } : entry && { id: entry.id };
    cli.print('Checking and hashing its files …');
    const options = { dir, ...chosen, ...(entry && { name: entry.name }), ...room };
    const { id, name, config, contextLength } = await openModel(options, join(dataDir, 'manifests'), cli.signal);
    const model: AddedModel = { id, name, dir, ...(source && { source }), ...room, contextLength };
    const isNew = !added.some((other) => other.id === id);
    await keepAddedModels(dataDir, [...added.filter((other) => other.id !== id), model]);
    cli.print(`${isNew ? 'Added' : 'Replaced'} ${describe(model, config)}.`);
    cli.print('`ailo serve` serves it from its next start on.');
    cli.result({ ...model, parameters: parameterCount(config), ...figures(config, model) });
  },
};

export const modelList: Command = {
  options: { data: DATA },
  async run(values, cli) {
    const added = await addedModels(dataOf(values));
    cli.print(added.length === 0 ? 'No models were added yet.' : 'Added, and served by `ailo serve`:');
    for (const { id, dir, source } of added)
      cli.print(`  ${id}: ${source ? `${source.repo}@${source.revision}` : dir}`);
    cli.print('\nKnown, to be added by name:');
    const catalogue = CATALOGUE.map((entry) => ({ ...listed(entry), added: added.some(({ id }) => id === entry.id) }));
    for (const model of catalogue) cli.print(`  ${line(model)}`);
    cli.result({ added, catalogue });
  },
};

export const modelRemove: Command = {
  argument: { key: 'id', value: 'ID', description: 'as `ailo model list` tells it' },
  options: { data: DATA },
  async run(values, cli) {
    const dataDir = dataOf(values);
    const id = string(values, 'id');
    const added = await addedModels(dataDir);
    const model = added.find((other) => other.id === id);
    if (!model) throw AiloError.of('MODEL_UNKNOWN', { model: id });
    await keepAddedModels(
      dataDir,
      added.filter((other) => other !== model),
    );
    const isUsed = added.some((other) => other !== model && other.dir === model.dir);
    // A folder that somebody named is theirs; what was downloaded into ours is ours.
    const isOurs = model.source !== undefined && model.dir.startsWith(modelsFolder(dataDir) + sep);
    if (isOurs && !isUsed) await rm(model.dir, { recursive: true, force: true });
    const deleted = isOurs && !isUsed;
    cli.print(`Removed ${id}${deleted ? ' and its files' : `; its files in ${model.dir} stay`}.`);
    cli.print('`ailo serve` no longer serves it from its next start on.');
    cli.result({ id, deleted });
  },
};

interface Obtained {
  dir: string;
  source?: AddedModel['source'];
  entry?: CatalogueEntry | undefined;
}

/** The model's folder: as it was named, or downloaded from the hub at a commit. */
async function obtain(values: Values, cli: Cli, dataDir: string): Promise<Obtained> {
  const wished = string(values, 'wished');
  if (await isFolder(wished)) {
    if (values.revision !== undefined) throw usage('--revision belongs to a hub model');
    return { dir: resolve(wished) };
  }
  const { repo, revision: known, entry } = named(wished);
  const wanted = string(values, 'revision', known ?? DEFAULT_BRANCH);
  return withToken(values, cli, dataDir, async (token) => {
    const options = hubOptions({
      print: cli.print,
      signal: cli.signal,
      modelsFolder: modelsFolder(dataDir),
      ...(token !== undefined && { token }),
    });
    const revision = isCommit(wanted) ? wanted : await commitOf(repo, wanted, options);
    cli.print(`${repo} at commit ${revision}${entry ? `, licence: ${entry.licence}` : ''}`);
    const dir = await downloadHubModel({ repo, revision }, options);
    return { dir, source: { repo, revision }, entry };
  });
}

/**
 * Tries with the token of the file, of the environment, or the one that is kept; then asks a person at a terminal. What
 * was asked for, or stood in the file, is kept when it has served.
 */
async function withToken<T>(
  values: Values,
  cli: Cli,
  dataDir: string,
  use: (token: string | undefined) => Promise<T>,
): Promise<T> {
  const ofFile = await tokenOfFile(values);
  const known = ofFile ?? (process.env.HF_TOKEN || (await readHubToken(dataDir)));
  try {
    const result = await use(known);
    if (ofFile !== undefined) await keepHubToken(dataDir, ofFile);
    return result;
  } catch (error) {
    const isWanted = error instanceof AiloError && error.code === 'HUB_TOKEN_NEEDED';
    if (!isWanted || ofFile !== undefined || !process.stdin.isTTY) throw error;
    cli.print(error.message);
    const token = checkedToken(await askSecret('Hub token (it is not shown): ', cli.signal));
    const result = await use(token);
    await keepHubToken(dataDir, token);
    return result;
  }
}

async function tokenOfFile(values: Values): Promise<string | undefined> {
  if (values['token-file'] === undefined) return undefined;
  try {
    return checkedToken(await readFile(string(values, 'token-file'), 'utf8'));
  } catch (error) {
    if (error instanceof AiloError) throw error;
    throw usage(`--token-file: ${(error as Error).message}`);
  }
}

function figures(
  config: ModelConfig,
  { stages, quant, contextLength }: Pick<AddedModel, 'stages' | 'quant'> & { contextLength?: number | undefined },
) {
  const options = {
    quant,
    contextLength: Math.min(contextLength ?? 2048, config.maxPositions),
    maxSequences: MAX_SEQUENCES,
  };
  return {
    ...(stages !== undefined && { bytesPerNode: budgetOfEach(config, stages, options) }),
    /** Of nodes as large as a browser's can be. */
    fewestNodes: fewestNodes(config, MOST_OF_A_NODE_BYTES, options),
  };
}

function listed({ id, name, source, licence, gated, config, room }: CatalogueEntry) {
  const { nodes, quant, contextLength } = room;
  const { bytesPerNode, fewestNodes } = figures(config, { stages: nodes, quant, contextLength });
  const parameters = parameterCount(config);
  return { id, name, source, licence, gated, parameters, nodes, fewestNodes, bytesPerNode, quant, contextLength };
}

function line(model: ReturnType<typeof listed> & { added: boolean }): string {
  const { id, parameters, nodes, fewestNodes, bytesPerNode, quant, licence, gated, source } = model;
  const room = `${nodes} ${nodes === 1 ? 'node' : 'nodes'} of ${megabytes(bytesPerNode!)} (${quant}; ${fewestNodes} at least)`;
  const terms = `${licence}${gated ? ', gated' : ''}`;
  const state = model.added ? ', added' : source ? '' : ', to plan with only';
  return `${id}: ${parametersInWords(parameters)}, ${room}, ${terms}${state}`;
}

function describe(model: AddedModel, config: ModelConfig): string {
  const { bytesPerNode } = figures(config, model);
  const room =
    model.stages === undefined ? 'in as few parts as fit' : `in ${model.stages} parts of ${megabytes(bytesPerNode!)}`;
  return `${model.id}: ${parametersInWords(parameterCount(config))}, ${model.quant}, ${room}`;
}

function parametersInWords(parameters: number): string {
  return parameters >= 1e9
    ? `${(parameters / 1e9).toFixed(1)} billion parameters`
    : `${Math.round(parameters / 1e6)} million parameters`;
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}

function count<K extends string>(values: Values, option: string, max: number, key: K, fallback?: number) {
  if (values[option] === undefined && fallback === undefined) return {} as Partial<Record<K, number>>;
  const value = integer(values, option, { min: 1, max, default: fallback ?? 1 });
  return { [key]: value } as Partial<Record<K, number>>;
}

function dataOf(values: Values): string {
  return string(values, 'data', join(homedir(), '.ailo'));
}

function modelsFolder(dataDir: string): string {
  return join(dataDir, 'models');
}
