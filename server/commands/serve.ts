/** `ailo serve`: a coordinator with the models that were added, or one, until Ctrl-C. */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';
import { QUANTS } from '../../shared/graph/types.ts';
import { MAX_ICE_SERVERS, MAX_STAGES } from '../../shared/protocol/limits.ts';
import { IceUrl } from '../../shared/protocol/messages.ts';
import { WIRE_DTYPES } from '../../shared/tensor/payload.ts';
import { type Cli, type Command, choice, integer, string, usage, type Values } from '../cli.ts';
import { type RoomOptions, startCoordinator } from '../coordinator/coordinator.ts';
import { GenesisOverrides } from '../coordinator/network.ts';
import { addedModels } from '../model/added.ts';
import { BUILT_IN_NAME } from '../model/built-in.ts';
import { resolveModel } from '../model/resolve.ts';

const DEFAULT_PORT = 8790;

export const serve: Command = {
  options: {
    model: {
      type: 'string',
      value: 'DIR|HUB_ID',
      description: `serve only this (what \`ailo model add\` added; without any, ${BUILT_IN_NAME})`,
    },
    stages: { type: 'string', value: 'K', description: 'split it into exactly K parts (as few as fit)' },
    quant: { type: 'string', value: 'QUANT', description: `${QUANTS.join(', ')} (f32)` },
    wire: {
      type: 'string',
      value: 'WIRE',
      description: `activations: ${WIRE_DTYPES.join(', ')} (f32 for f32, else f16)`,
    },
    ice: { type: 'string', value: 'URL,URL', description: 'STUN servers for direct links between browsers (none)' },
    context: { type: 'string', value: 'N', description: "longest text in tokens (2048 or the model's own, if less)" },
    host: { type: 'string', value: 'HOST', description: 'address to listen on (127.0.0.1)' },
    port: { type: 'string', value: 'PORT', description: `port to listen on, 0 for any that is free (${DEFAULT_PORT})` },
    data: { type: 'string', value: 'DIR', description: 'ledger, keys and manifests are kept here (~/.ailo)' },
    genesis: { type: 'string', value: 'FILE', description: 'JSON with rules of a new private network' },
  },

  async run(values, cli) {
    const { stages, context, wire } = values;
    const room = {
      quant: choice(values, 'quant', QUANTS, 'f32'),
      ...(stages !== undefined && { stages: integer(values, 'stages', { min: 1, max: MAX_STAGES, default: 1 }) }),
      ...(wire !== undefined && { wire: choice(values, 'wire', WIRE_DTYPES, 'f32') }),
      ...(context !== undefined && {
        contextLength: integer(values, 'context', { min: 16, max: 2 ** 24, default: 16 }),
      }),
    };
    const genesis = values.genesis === undefined ? {} : await readOverrides(values);
    const ice = values.ice === undefined ? undefined : iceServers(values);
    const listening = {
      host: string(values, 'host', '127.0.0.1'),
      port: integer(values, 'port', { min: 0, max: 65_535, default: DEFAULT_PORT }),
    };
    const dataDir = string(values, 'data', join(homedir(), '.ailo'));
    const coordinator = await startCoordinator({
      ...listening,
      dataDir,
      models: await wantedModels(values, cli, dataDir, room),
      genesis,
      ...(ice && { ice }),
      log: cli.log,
      signal: cli.signal,
    });
    try {
      const { url, models, networkId } = coordinator;
      cli.print(`Serving ${models.join(', ')} on ${url}, network ${networkId.slice(0, 16)}…; Ctrl-C ends it.`);
      cli.result({ url, models, networkId });
      if (!cli.signal.aborted) await once(cli.signal, 'abort');
    } finally {
      await coordinator.close();
    }
  },
};

function iceServers(values: Values): string[] {
  const urls = v.safeParse(v.pipe(v.array(IceUrl), v.maxLength(MAX_ICE_SERVERS)), string(values, 'ice').split(','));
  if (urls.success) return urls.output;
  throw usage(`--ice is up to ${MAX_ICE_SERVERS} STUN servers, as in stun:stun.example.org:3478`);
}

/** The one that the flags name, or those that were added, or the default. */
async function wantedModels(
  values: Values,
  cli: Cli,
  dataDir: string,
  room: Omit<RoomOptions, 'dir'>,
): Promise<RoomOptions[]> {
  const added = values.model === undefined ? await addedModels(dataDir) : [];
  if (added.length > 0) {
    const flag = ['stages', 'quant', 'wire', 'context'].find((name) => values[name] !== undefined);
    if (flag) throw usage(`--${flag} belongs to --model; a model that was added has its own`);
    return added.map(({ id, name, dir, source, quant, stages, contextLength }) => ({
      ...{ id, name, dir, quant },
      ...(stages !== undefined && { stages }),
      ...(contextLength !== undefined && { contextLength }),
      ...(source && { origin: source }),
    }));
  }
  const { print, signal } = cli;
  const { dir } = await resolveModel(string(values, 'model', BUILT_IN_NAME), { print, signal });
  return [{ dir, ...room }];
}

async function readOverrides(values: Values): Promise<GenesisOverrides> {
  let json: unknown;
  try {
    json = JSON.parse(await readFile(string(values, 'genesis'), 'utf8'));
  } catch (error) {
    throw usage(`--genesis: ${(error as Error).message}`);
  }
  const parsed = v.safeParse(GenesisOverrides, json, { abortEarly: true });
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  throw usage(`--genesis: ${v.getDotPath(issue) ?? 'it'}: ${issue.message}`);
}
