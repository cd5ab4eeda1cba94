/** The coordinator, put together: network files, models, ledger, HTTP, sockets, rooms. */
import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { AiloError } from '../../shared/errors/index.ts';
import type { Quant } from '../../shared/graph/types.ts';
import { MAX_ACTIVE_SET } from '../../shared/ledger/limits.ts';
import { splitModel } from '../../shared/plan/division.ts';
import { systemSchedule } from '../../shared/protocol/schedule.ts';
import type { WireDtype } from '../../shared/tensor/payload.ts';
import { campaignsFolder, openCampaigns } from '../campaigns/campaigns.ts';
import { isAnswer } from '../campaigns/groups/answer.ts';
import { createHttp } from '../http/app.ts';
import { openLedger } from '../ledger/ledger.ts';
import type { TrainingResult } from '../ledger/types.ts';
import { openDatabase } from '../store/database.ts';
import { createDispatcher } from './dispatcher.ts';
import { createGateway } from './gateway.ts';
import { openTrust } from './honesty/trust-store.ts';
import { NODES_RETURN_MS } from './limits.ts';
import { type ModelOptions, openModel, type ServedModel } from './model-store.ts';
import { type GenesisOverrides, openNetwork } from './network.ts';
import { createPayments } from './payments.ts';
import { Presence } from './presence.ts';
import type { RoomSpec } from './room.ts';
import { sequencesOf, sizing } from './sizing.ts';

export interface RoomOptions extends ModelOptions {
  /** Exactly so many stages; absent: as few as fit. */
  stages?: number;
  /** f32 without one. */
  quant?: Quant;
  /** Whether rows run ahead of the text, by what followed the same words before. */
  speculate?: boolean;
  /** How activations travel between stages; as the quantisation has it without one. */
  wire?: WireDtype;
}

export interface CoordinatorOptions {
  /** Keeps the network's key and genesis file, the database and the manifests. */
  dataDir: string;
  host: string;
  /** 0 takes a free one. */
  port: number;
  models: RoomOptions[];
  /** STUN servers (`stun:host:port`) for direct links between nodes; none are needed inside one network. */
  ice?: string[];
  /** For a network that is founded now and has rules of its own. */
  genesis?: GenesisOverrides;
  log: Logger;
  signal?: AbortSignal;
}

export interface Coordinator {
  url: string;
  networkId: string;
  /** Ids of what is served. */
  models: string[];
  /** Ends sessions, finishes what the ledger accepted, closes everything. */
  close(): Promise<void>;
}

/**
 * Starts serving. Throws the errors of models, network files and database, PLAN_IMPOSSIBLE (more stages than the model has parts)
 * and PORT_UNUSABLE; then nothing is left running.
 */
export async function startCoordinator(options: CoordinatorOptions): Promise<Coordinator> {
  /** What was opened, to be closed in reverse. */
  const opened: (() => unknown)[] = [];
  const close = async () => {
    for (let undo = opened.pop(); undo; undo = opened.pop()) await undo();
  };
  try {
    return { ...(await open(options, opened)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function open(options: CoordinatorOptions, opened: (() => unknown)[]): Promise<Omit<Coordinator, 'close'>> {
  const { dataDir, log } = options;
  const models = await openModels(options);
  const specs = options.models.map((room, i) => roomSpec(models[i]!, room));
  await mkdir(dataDir, { recursive: true });
  const { networkKey, genesis, networkId } = await openNetwork(dataDir, options.genesis);

  const database = await openDatabase(join(dataDir, 'ailo.sqlite'));
  opened.push(() => database.destroy());
  const wallClock = () => Date.now();
  const onFailure = (err: unknown) => log.error({ err }, 'the ledger could not be written');
  const now = () => performance.now();
  const { heartbeatMs } = genesis.activity;
  const knownMs = now() + Math.min(heartbeatMs, NODES_RETURN_MS);
  const presence = new Presence({ withinMs: heartbeatMs, maxNodes: MAX_ACTIVE_SET, knownMs });
  const presentNodes = () => presence.nodes(now());
  const ledger = await openLedger({ database, networkKey, genesis, now: wallClock, presentNodes, onFailure });
  opened.push(() => ledger.close());

  const served = new Map(models.map((model) => [model.id, model]));
  const common = { schedule: systemSchedule, now, log };
  const trainings = createPayments((result: TrainingResult) => ledger.mintTraining(result), systemSchedule, log);
  opened.push(() => trainings.settled());
  const campaigns = await openCampaigns({
    ...common,
    ...{ database, networkId, folder: campaignsFolder(dataDir), wallClock, pay: trainings.pay },
    send: (node, type, body) => gateway.send(node, type, body),
  });
  opened.push(() => campaigns.close());

  const app = await createHttp({ ledger, genesis, networkId, models: served, campaigns, now, log });
  opened.push(() => app.close());

  const trust = await openTrust(database, log);
  const dispatcher = createDispatcher(
    { ...common, specs, ledger, trust, wallClock, random, ...(options.ice && { ice: options.ice }) },
    (node, type, body) => gateway.send(node, type, body),
  );
  opened.push(() => dispatcher.close());
  const gateway = createGateway({
    ...common,
    httpServer: app.server,
    networkId,
    usernameOf: ledger.usernameOf,
    handlers: {
      ...dispatcher,
      opened(node) {
        presence.opened(node);
        dispatcher.opened(node);
      },
      closed(node) {
        presence.closed(node, now());
        campaigns.leave(node);
        dispatcher.closed(node);
      },
      message(node, message) {
        if (message.type === 'train') campaigns.train(node, message.body);
        else if (message.type === 'trainNoMore') campaigns.leave(node);
        else if (isAnswer(message)) campaigns.said(node, message);
        else dispatcher.message(node, message);
      },
    },
  });
  opened.push(() => gateway.close());

  return { url: await listen(app, options), networkId, models: [...served.keys()] };
}

async function openModels({ models, dataDir, signal }: CoordinatorOptions): Promise<ServedModel[]> {
  const served: ServedModel[] = [];
  for (const model of models) {
    const next = await openModel(model, join(dataDir, 'manifests'), signal);
    if (served.some(({ id }) => id === next.id)) {
      throw AiloError.of('MANIFEST_INVALID', { reason: `two models have the id “${next.id}”` });
    }
    served.push(next);
  }
  return served;
}

function roomSpec({ id, name, manifestHash, config, contextLength, chat }: ServedModel, room: RoomOptions): RoomSpec {
  const { stages, quant = 'f32', speculate = false, wire } = room;
  const format = { quant, ...(wire && { wire }) };
  const maxSequences = sequencesOf(config, quant, contextLength);
  if (stages !== undefined) splitModel(config, stages);
  return {
    model: id,
    name,
    manifestHash,
    ...format,
    speculate,
    contextLength,
    chat,
    maxSequences,
    vocabSize: config.vocabSize,
    eosTokens: config.eosTokens,
    ...(stages !== undefined && { stages }),
    ...sizing(config, { ...format, contextLength, maxSequences }),
  };
}

async function listen(app: FastifyInstance, { host, port }: CoordinatorOptions): Promise<string> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    throw AiloError.of('PORT_UNUSABLE', { host, port, reason: (error as Error).message }, error);
  }
  const { port: actual } = app.server.address() as AddressInfo;
  const reachable = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host.includes(':') ? `[${host}]` : host;
  return `http://${reachable}:${actual}`;
}

/** Not to be foreseen: it decides who computes with whom. */
function random(): number {
  return randomBytes(4).readUInt32LE() / 2 ** 32;
}
