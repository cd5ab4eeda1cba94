/** A coordinator as it runs: real sockets, real HTTP, a real ledger; the nodes only pretend to compute. */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bytesToHex, concatBytes, hexToBytes } from '@noble/hashes/utils.js';
import { pino } from 'pino';
import { io, type Socket } from 'socket.io-client';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sha256Hex } from '../../shared/bytes/sha256.ts';
import { decodeCheckpoint } from '../../shared/ledger/checkpoint.ts';
import { signRegistration } from '../../shared/ledger/registration.ts';
import { signReport } from '../../shared/ledger/report.ts';
import { signTransaction } from '../../shared/ledger/transaction.ts';
import { type Channel, createChannel, type MessageOf } from '../../shared/protocol/channel.ts';
import { PROTOCOL_VERSION } from '../../shared/protocol/limits.ts';
import {
  type Authenticated,
  type Challenge,
  type FromCoordinator,
  type FromNode,
  fromCoordinator,
} from '../../shared/protocol/messages.ts';
import { systemSchedule } from '../../shared/protocol/schedule.ts';
import { GREEDY } from '../../shared/sampler/types.ts';
import { signAuthentication } from '../../shared/wallet/authentication.ts';
import { Wallet } from '../../shared/wallet/wallet.ts';
import { type Coordinator, type CoordinatorOptions, startCoordinator } from './coordinator.ts';
import { rowsFrame } from './testing.ts';

const MODEL = 'stories260k';
const modelDir = fileURLToPath(new URL(`../../../shared/models/${MODEL}`, import.meta.url));
const missing = !existsSync(modelDir);
if (missing) console.warn('skipped: the folder “shared” with the model stories260k is not beside the project');

let folder: string;
let running: Coordinator[];
let nodes: TestNode[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ailo-coordinator-'));
  running = [];
  nodes = [];
});

afterEach(async () => {
  for (const node of nodes) node.socket.disconnect();
  for (const coordinator of running) await coordinator.close();
  await rm(folder, { recursive: true, force: true });
});

async function start(options: Partial<CoordinatorOptions> = {}): Promise<Coordinator> {
  const coordinator = await startCoordinator({
    dataDir: join(folder, 'data'),
    host: '127.0.0.1',
    port: 0,
    models: [{ dir: modelDir, stages: 2 }],
    log: pino({ level: 'silent' }),
    ...options,
  });
  running.push(coordinator);
  return coordinator;
}

interface TestNode {
  address: string;
  username: string | undefined;
  socket: Socket;
  messages: MessageOf<FromCoordinator>[];
  send: Channel<FromNode>['send'];
  /** The next message of this type from `from` on; waits for it. */
  got<T extends keyof FromCoordinator>(
    type: T,
    matches?: (body: FromCoordinator[T]) => boolean,
  ): Promise<FromCoordinator[T]>;
}

/** With which the model ends its answers. */
const END = 2;

/** A node on the real channel. A computing one loads whatever it is given, sends rows on and, as last stage, says `tokens`. */
async function enter(
  url: string,
  { computes = false, tokens = 20, wallet = new Wallet(new Uint8Array(randomBytes(32))) } = {},
): Promise<TestNode> {
  const socket = io(url, { transports: ['websocket'], reconnection: false, forceNew: true });
  const messages: MessageOf<FromCoordinator>[] = [];
  const listeners = new Set<() => void>();
  const channel: Channel<FromNode> = createChannel<FromCoordinator, FromNode>({
    accepts: fromCoordinator,
    onMessage(message) {
      messages.push(message);
      if (computes) compute(message, tokens, channel.send);
      for (const listener of [...listeners]) listener();
    },
    onFault: ({ error }) => {
      throw error;
    },
    schedule: systemSchedule,
  });
  const challenge = await new Promise<Challenge>((resolve) => socket.once('challenge', resolve));
  socket.on('message', channel.receive);
  socket.on('probe', (answer: () => void) => answer());
  const answer: Authenticated = await socket.emitWithAck('authenticate', {
    protocol: PROTOCOL_VERSION,
    ...signAuthentication(wallet, challenge),
    client: { kind: 'headless', version: '1' },
  });
  if (!answer.ok) throw new Error(answer.error.message);
  channel.attach({ send: (envelope) => void socket.emit('message', envelope) }, 0);
  const node: TestNode = {
    address: wallet.address,
    username: answer.username,
    socket,
    messages,
    send: channel.send,
    got: (type, matches = () => true) =>
      new Promise((resolve) => {
        const look = () => {
          const found = messages.find((each) => each.type === type && matches(each.body as never));
          if (!found) return;
          listeners.delete(look);
          resolve(found.body as never);
        };
        listeners.add(look);
        look();
      }),
  };
  if (computes) node.send('offer', { engine: 'node', budgetBytes: 2 ** 30, matmulGflops: 10 });
  nodes.push(node);
  return node;
}

function compute(message: MessageOf<FromCoordinator>, tokens: number, send: TestNode['send']) {
  if (message.type === 'assign') {
    send('stageReady', { assignment: message.body.assignment, loadMs: 1, memoryBytes: 1 });
  }
  if (message.type === 'jobOpen' && !message.body.sample) {
    const { job, next: to, epoch, promptTokens } = message.body;
    send('frame', { job, to, epoch, data: rowsFrame(job, 0, promptTokens + 20) });
  }
  if (message.type === 'frame' && message.body.from !== undefined) {
    const { job } = message.body;
    for (let index = 0; index < tokens; index++) {
      send('token', { job, index, token: index === tokens - 1 ? END : 1 });
    }
  }
}

const allReady = ({ models: [model] }: FromCoordinator['models']) =>
  model !== undefined && model.ready === model.stages;
const request = (): FromNode['generate'] => ({
  request: randomBytes(16).toString('hex'),
  model: MODEL,
  tokens: [1],
  maxNewTokens: 32,
  sampling: GREEDY,
});

describe.skipIf(missing)('a coordinator', () => {
  test('forms a room, answers, and pays each stage but not the requester', async () => {
    const { url } = await start({ genesis: { inference: { latencyBonusMicroAlc: '0' } } });
    const asker = await enter(url);
    const workers = [await enter(url, { computes: true }), await enter(url, { computes: true })];
    await asker.got('models', allReady);
    const generate = request();
    asker.send('generate', generate);
    const { participants } = await asker.got('accepted');
    expect([...participants].sort()).toEqual(workers.map(({ address }) => address).sort());
    expect(await asker.got('finished')).toMatchObject({ request: generate.request, reason: 'stop', tokens: 20 });
    expect(asker.messages.flatMap((m) => (m.type === 'token' ? [m.body.index] : []))).toEqual([...Array(20).keys()]);
    for (const worker of workers) {
      await worker.got('account', ({ availableMicroAlc }) => availableMicroAlc === '50000');
      await worker.got('jobClose', ({ reason }) => reason === 'done');
    }
    const accountOf = async (address: string) => (await fetch(`${url}/v1/accounts/${address}`)).json();
    expect(await accountOf(asker.address)).toMatchObject({ availableMicroAlc: '0', transactions: 0 });
    expect(await accountOf(workers[0]!.address)).toMatchObject({ availableMicroAlc: '50000', transactions: 1 });
    const history = await (await fetch(`${url}/v1/accounts/${workers[0]!.address}/transactions`)).json();
    expect(history.transactions).toMatchObject([{ type: 'inference-reward', amountMicroAlc: '50000' }]);
    const receipt = await fetch(`${url}/v1/receipts/${history.transactions[0].reference}`);
    expect(await receipt.json()).toMatchObject({ requester: asker.address, model: MODEL, tokens: 20, finish: 'stop' });
    expect(await (await fetch(`${url}/v1/checkpoint`)).json()).toMatchObject({ size: 3 });
  });

  test('tells its nodes how far the ledger is, and welcomes a wallet with the name that the ledger gives it', async () => {
    const { url, networkId } = await start();
    const wallet = new Wallet(new Uint8Array(randomBytes(32)));
    const node = await enter(url, { wallet });
    const sizeOf = ({ bytes }: FromCoordinator['checkpoint']) => decodeCheckpoint(hexToBytes(bytes)).size;
    await node.got('checkpoint', (body) => sizeOf(body) === 0);
    const { bytes, signature } = signRegistration(wallet, {
      networkId: hexToBytes(networkId),
      publicKey: wallet.publicKey,
      number: 1,
      username: 'ada',
    });
    const answer = await fetch(`${url}/v1/submissions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ kind: 'registration', signed: bytesToHex(concatBytes(bytes, signature)) }),
    });
    expect(await answer.json()).toEqual({ index: 0 });
    await node.got('checkpoint', (body) => sizeOf(body) === 1);
    expect(node.username).toBeUndefined();
    node.send('leave', {});
    node.socket.disconnect();
    expect((await enter(url, { wallet })).username).toBe('ada');
  });

  test('lets the nodes that are there decide a dispute', async () => {
    // It goes back at once, and the coordinator knows at once who is there.
    const rules = { transfer: { reversalDelayMs: 0 }, activity: { heartbeatMs: 1 } };
    const { url, networkId } = await start({ genesis: rules });
    const keys = [1, 2].map((i) => new Wallet(new Uint8Array(32).fill(i))) as [Wallet, Wallet];
    const asker = await enter(url);
    for (const wallet of keys) await enter(url, { computes: true, wallet });
    await asker.got('models', allReady);
    asker.send('generate', request());
    await asker.got('finished');
    const submit = async (kind: string, { bytes, signature }: { bytes: Uint8Array; signature: Uint8Array }) => {
      const signed = bytesToHex(concatBytes(bytes, signature));
      const headers = { 'content-type': 'application/json' };
      const body = JSON.stringify({ kind, signed });
      const answer = await fetch(`${url}/v1/submissions`, { method: 'POST', headers, body });
      return [answer.status, await answer.json()];
    };
    const network = { networkId: hexToBytes(networkId) };
    const transfer = signTransaction(keys[0], {
      ...network,
      type: 'transfer',
      from: keys[0].publicKey,
      to: keys[1].publicKey,
      amountMicroAlc: 10_000n,
      feeMicroAlc: 10_000n,
      nonce: 1,
      timeMs: Date.now(),
      reference: new Uint8Array(32),
      memo: '',
    });
    await expect.poll(() => submit('transfer', transfer)).toEqual([200, { index: 3 }]);
    const { hash } = transfer;
    for (const [i, wallet] of keys.entries()) {
      const report = signReport(wallet, {
        ...network,
        publicKey: wallet.publicKey,
        transfer: hash,
        reason: 'a mistake',
      });
      expect(await submit('report', report)).toEqual([200, { index: 4 + i }]);
    }
    const known = async () => (await fetch(`${url}/v1/transactions/${bytesToHex(hash)}`)).json();
    await expect.poll(known).toMatchObject({ state: 'reversed', dispute: { activeNodes: 2, needed: 2 } });
  });

  test('pays a requester who also contributes nothing for his own question', async () => {
    const { url } = await start();
    const [one, other] = [await enter(url, { computes: true }), await enter(url, { computes: true })];
    await one.got('models', allReady);
    one.send('generate', request());
    await one.got('finished');
    await other.got('account', ({ availableMicroAlc }) => availableMicroAlc !== '0');
    expect(one.messages.filter(({ type }) => type === 'account')).toHaveLength(1);
  });

  test('fails the job with STAGE_LOST when a stage leaves, and pays nobody', async () => {
    const { url } = await start();
    const asker = await enter(url);
    const workers = [await enter(url, { computes: true, tokens: 0 }), await enter(url, { computes: true, tokens: 0 })];
    await asker.got('models', allReady);
    asker.send('generate', request());
    await asker.got('accepted');
    const [leaving, staying] = workers;
    const { assignment } = await leaving!.got('assign');
    leaving!.send('stageFailed', { assignment, error: { code: 'ENGINE_FAILED', message: 'gone' } });
    expect(await asker.got('failed')).toMatchObject({ error: { code: 'STAGE_LOST' } });
    await staying!.got('jobClose', ({ reason }) => reason === 'failed');
    asker.send('generate', request());
    await asker.got('failed', ({ error }) => error.code === 'MODEL_NOT_READY');
    expect(await (await fetch(`${url}/v1/checkpoint`)).json()).toMatchObject({ size: 0 });
  });

  test('lets a stage that is leaving finish its answer, then takes it back', async () => {
    const { url } = await start();
    const asker = await enter(url);
    const workers = [await enter(url, { computes: true, tokens: 0 }), await enter(url, { computes: true, tokens: 0 })];
    await asker.got('models', allReady);
    asker.send('generate', request());
    const { participants } = await asker.got('accepted');
    const last = workers.find(({ address }) => address === participants[1])!;
    const { job, assignment } = await last.got('jobOpen');
    await last.got('frame');
    last.send('withdraw', {});
    last.send('token', { job, index: 0, token: 1 });
    await asker.got('token');
    expect(last.messages.filter(({ type }) => type === 'unassign')).toEqual([]);
    last.send('token', { job, index: 1, token: END });
    expect(await asker.got('finished')).toMatchObject({ tokens: 2 });
    expect(await last.got('unassign')).toEqual({ assignment });
  });

  test('refuses an offer for a stage that the node cannot hold, by name', async () => {
    const { url } = await start();
    const node = await enter(url);
    const offer = { engine: 'node', budgetBytes: 1000, matmulGflops: 1 } as const;
    node.send('offer', { ...offer, want: { model: MODEL, start: 0, end: 4 } });
    await node.got('refused', ({ error }) => error.code === 'STAGE_TOO_LARGE');
    node.send('offer', { ...offer, want: { model: MODEL, start: 4, end: 99 } });
    await node.got('refused', ({ error }) => error.code === 'STAGE_RANGE_INVALID');
    node.send('offer', { ...offer, want: { model: 'other', start: 0, end: 4 } });
    await node.got('refused', ({ error }) => error.code === 'MODEL_UNKNOWN');
  });

  test('takes only so many questions at once from one wallet', async () => {
    const { url } = await start();
    const asker = await enter(url);
    for (let i = 0; i < 21; i++) asker.send('generate', request());
    await asker.got('failed', ({ error }) => error.code === 'RATE_LIMITED');
    expect(asker.socket.connected).toBe(true);
  });

  test('keeps its network and ledger over a restart, and refuses other rules for it', async () => {
    const first = await start();
    const asker = await enter(first.url);
    const worker = await enter(first.url, { computes: true });
    await enter(first.url, { computes: true });
    await asker.got('models', allReady);
    asker.send('generate', request());
    await worker.got('account', ({ availableMicroAlc }) => availableMicroAlc !== '0');
    await first.close();
    const second = await start();
    expect(second.networkId).toBe(first.networkId);
    const account = await (await fetch(`${second.url}/v1/accounts/${worker.address}`)).json();
    expect(account).toMatchObject({ transactions: 1 });
    await second.close();
    await expect(start({ genesis: { inference: { minTokens: 1 } } })).rejects.toMatchObject({
      code: 'NETWORK_FILES_UNUSABLE',
    });
  });

  test('refuses a model it could not serve, before anything is founded', async () => {
    const broken = join(folder, 'broken');
    await cp(modelDir, broken, { recursive: true });
    const config = JSON.parse(await readFile(join(broken, 'config.json'), 'utf8'));
    const serving = (dir: string, stages?: number) =>
      start({ models: [{ dir, ...(stages !== undefined && { stages }) }] });
    await writeFile(join(broken, 'config.json'), JSON.stringify({ ...config, model_type: 'mamba' }));
    await expect(serving(broken)).rejects.toMatchObject({ code: 'MODEL_FAMILY_UNKNOWN' });
    await writeFile(join(broken, 'config.json'), JSON.stringify({ ...config, num_hidden_layers: 6 }));
    await expect(serving(broken)).rejects.toMatchObject({ code: 'TENSOR_MISSING' });
    await writeFile(join(broken, 'config.json'), JSON.stringify(config));
    await writeFile(join(broken, 'model.safetensors'), new Uint8Array(20).fill(255));
    await expect(serving(broken)).rejects.toMatchObject({ code: 'SAFETENSORS_HEADER_INVALID' });
    await rm(join(broken, 'model.safetensors'));
    await expect(serving(broken)).rejects.toMatchObject({ code: 'MODEL_FILE_MISSING' });
    await expect(serving(modelDir, 38)).rejects.toMatchObject({ code: 'PLAN_IMPOSSIBLE' });
    await expect(start({ models: [{ dir: modelDir }, { dir: modelDir }] })).rejects.toMatchObject({
      code: 'MANIFEST_INVALID',
    });
    expect(await readdir(join(folder, 'data'))).not.toContain('genesis.json');
  });

  test('says so when the port is taken, and leaves nothing running', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as AddressInfo;
    await expect(start({ port })).rejects.toMatchObject({ code: 'PORT_UNUSABLE' });
    taken.close();
    await start({ port: 0 });
  });
});

describe.skipIf(missing)('over HTTP', () => {
  const file = (url: string, path: string, headers = {}) => fetch(`${url}/models/${MODEL}/files/${path}`, { headers });

  test('the manifest’s hash is what nodes are told, and its chunks are what is served', async () => {
    const { url } = await start();
    const { models } = await (await enter(url)).got('models');
    const bytes = new Uint8Array(await (await fetch(`${url}/models/${MODEL}/manifest.json`)).arrayBuffer());
    expect(models[0]!.manifestHash).toBe(await sha256Hex(bytes));
    const manifest = JSON.parse(new TextDecoder().decode(bytes));
    for (const { path, size, chunks } of manifest.files) {
      const whole = new Uint8Array(await (await file(url, path)).arrayBuffer());
      expect(whole.length).toBe(size);
      expect(await sha256Hex(whole.subarray(0, manifest.chunkBytes))).toBe(chunks[0]);
    }
  });

  test('ranges are answered as browsers of any origin may read them', async () => {
    const { url } = await start();
    const whole = await readFile(join(modelDir, 'model.safetensors'));
    for (const [range, start, end] of [
      ['bytes=0-0', 0, 1],
      ['bytes=1000-1999', 1000, 2000],
      [`bytes=${whole.length - 5}-`, whole.length - 5, whole.length],
      ['bytes=-7', whole.length - 7, whole.length],
      ['bytes=10-999999999', 10, whole.length],
    ] as const) {
      const response = await file(url, 'model.safetensors', { range });
      expect(response.status).toBe(206);
      expect(response.headers.get('content-range')).toBe(`bytes ${start}-${end - 1}/${whole.length}`);
      expect(response.headers.get('access-control-allow-origin')).toBe('*');
      expect(response.headers.get('access-control-expose-headers')).toContain('Content-Range');
      expect(response.headers.get('cross-origin-resource-policy')).toBe('cross-origin');
      expect(Buffer.from(await response.arrayBuffer()).equals(whole.subarray(start, end))).toBe(true);
    }
    const beyond = await file(url, 'model.safetensors', { range: `bytes=${whole.length}-` });
    expect(beyond.status).toBe(416);
    expect(beyond.headers.get('content-range')).toBe(`bytes */${whole.length}`);
    expect(await beyond.json()).toMatchObject({ code: 'RANGE_UNSATISFIABLE' });
  });

  test('only what the manifest lists is served, and every refusal has a code and a sentence', async () => {
    const { url } = await start();
    const refusals: [string, number, string][] = [
      [`/models/${MODEL}/files/expected-greedy-200.txt`, 404, 'MODEL_FILE_MISSING'],
      [`/models/${MODEL}/files/..%2F..%2FREADME.md`, 404, 'MODEL_FILE_MISSING'],
      [`/models/${MODEL}/files/%2Fetc%2Fpasswd`, 404, 'MODEL_FILE_MISSING'],
      ['/models/other/manifest.json', 404, 'MODEL_UNKNOWN'],
      ['/models/other/files/config.json', 404, 'MODEL_UNKNOWN'],
      ['/models/%ff/manifest.json', 400, 'REQUEST_INVALID'],
      ['/v1/accounts/alc1nobody', 400, 'ADDRESS_INVALID'],
      ['/v1/accounts/alc1nobody/transactions?limit=101', 400, 'REQUEST_INVALID'],
      ['/v1/accounts/alc1nobody/transactions?before=-1', 400, 'REQUEST_INVALID'],
      ['/v1/receipts/xyz', 400, 'REQUEST_INVALID'],
      [`/v1/receipts/${'00'.repeat(32)}`, 404, 'NOT_FOUND'],
      ['/v1/secrets', 404, 'NOT_FOUND'],
    ];
    for (const [path, status, code] of refusals) {
      const response = await fetch(url + path);
      expect([path, response.status, await response.json()]).toEqual([
        path,
        status,
        { code, message: expect.any(String) },
      ]);
    }
    expect((await fetch(`${url}/healthz`, { method: 'POST' })).status).toBe(404);
  });
});
