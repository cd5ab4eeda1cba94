/** `ailo demo` (npm start): coordinator, three nodes and a browser with the extension, all on this machine. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildExtension } from '../../extension/build.ts';
import { AiloError } from '../../shared/errors/index.ts';
import { formatAlc } from '../../shared/ledger/money.ts';
import type { AiloNode } from '../../shared/node/types.ts';
import type { ModelListing } from '../../shared/protocol/messages.ts';
import { ensureChromium, hasDisplay, launchExtension } from '../browser.ts';
import { type Cli, type Command, integer, string } from '../cli.ts';
import { startCoordinator } from '../coordinator/coordinator.ts';
import { converse } from '../demo/converse.ts';
import { BUILT_IN_NAME } from '../model/built-in.ts';
import { resolveModel } from '../model/resolve.ts';
import { createHeadlessNode } from '../node/headless.ts';

const NODES = 3;
const NODE_BUDGET_BYTES = 2 * 2 ** 30;
const READY_TIMEOUT_MS = 300_000;
/** What is asked where nobody can type: of a model that chats, and of one that goes on with a text. */
const QUESTION = 'What is Ailo?';
const BEGINNING = 'Once upon a time';

export const demo: Command = {
  options: {
    model: { type: 'string', value: 'DIR|HUB_ID', description: `what to serve (default: ${BUILT_IN_NAME})` },
    port: { type: 'string', value: 'PORT', description: "the coordinator's (default: any that is free)" },
    headless: { type: 'boolean', description: 'show no window, print the conversation (as without a display)' },
  },

  async run(values, cli) {
    const port = integer(values, 'port', { min: 0, max: 65_535, default: 0 });
    const wished = string(values, 'model', BUILT_IN_NAME);
    const headless = values.headless === true || !hasDisplay();
    const folder = await mkdtemp(join(tmpdir(), 'ailo-demo-'));
    /** Undone in reverse order, whatever happens. */
    const undo: (() => Promise<void>)[] = [() => rm(folder, { recursive: true, force: true })];
    try {
      await ensureChromium(cli.print);
      const { dir } = await resolveModel(wished, { print: cli.print, signal: cli.signal });
      const coordinator = await startCoordinator({
        dataDir: join(folder, 'coordinator'),
        host: '127.0.0.1',
        port,
        models: [{ dir, stages: NODES }],
        log: cli.log,
      });
      undo.push(() => coordinator.close());
      cli.print(`The coordinator listens on ${coordinator.url}.`);

      cli.print('Building the extension …');
      const extensionDir = join(folder, 'extension');
      await buildExtension({ outDir: extensionDir, coordinatorUrl: coordinator.url });
      const nodes = await startNodes(coordinator.url, folder, cli);
      for (const node of nodes) undo.push(() => node.stop());
      const model = await ready(nodes, cli);
      cli.print(`${NODES} nodes hold the ${NODES} parts of ${model.id}.`);

      const context = await launchExtension({ extensionDir, profileDir: join(folder, 'profile'), headless });
      undo.push(() => context.close());
      const closed = new Promise<void>((resolve) => context.once('close', () => resolve()));
      const worker = context.serviceWorkers()[0] ?? (await context.waitForEvent('serviceworker'));
      const page = context.pages()[0] ?? (await context.newPage());
      await page.goto(`chrome-extension://${new URL(worker.url()).host}/popup.html`);
      await page.bringToFront();
      if (!headless) {
        cli.print('The chat is open. Close the browser or press Ctrl-C to end everything.');
        await Promise.race([closed, aborted(cli.signal)]);
        return;
      }
      const conversation = await converse(page, model.chat ? QUESTION : BEGINNING, cli);
      const earned = nodes.map(({ state }) => state.account?.earnedTotalMicroAlc ?? '0');
      cli.print(`The nodes earned ${earned.map((amount) => `${formatAlc(BigInt(amount))} ALC`).join(', ')}.`);
      cli.result({ url: coordinator.url, model: model.id, stages: NODES, conversation, earnedMicroAlc: earned });
    } finally {
      for (const step of undo.reverse())
        await step().catch((error) => cli.log.warn({ error }, 'while ending the demo'));
    }
  },
};

async function startNodes(url: string, folder: string, cli: Cli): Promise<AiloNode[]> {
  const nodes: AiloNode[] = [];
  for (let i = 1; i <= NODES; i++) {
    // One thread each: together they are one machine.
    const node = await createHeadlessNode({
      url,
      dataDir: join(folder, `node-${i}`),
      budgetBytes: NODE_BUDGET_BYTES,
      threads: 1,
      log: cli.log,
    });
    node.start();
    node.contribute(true);
    nodes.push(node);
  }
  return nodes;
}

/** The model, as soon as all its parts are loaded and said to be. */
async function ready([node]: AiloNode[], cli: Cli): Promise<ModelListing> {
  const deadline = AbortSignal.any([cli.signal, AbortSignal.timeout(READY_TIMEOUT_MS)]);
  const find = () => node!.state.models.find((model) => model.ready === model.stages);
  return new Promise((resolve, reject) => {
    const look = () => {
      const model = find();
      if (model) finish(() => resolve(model));
    };
    const giveUp = () => {
      const [model] = node!.state.models;
      const { id = 'the model', ready = 0, stages = NODES } = model ?? {};
      const error = cli.signal.aborted
        ? AiloError.of('CANCELLED', {})
        : AiloError.of('MODEL_NOT_READY', { model: id, ready, stages });
      finish(() => reject(error));
    };
    const unsubscribe = node!.subscribe(look);
    const finish = (settle: () => void) => {
      unsubscribe();
      deadline.removeEventListener('abort', giveUp);
      settle();
    };
    deadline.addEventListener('abort', giveUp);
    if (deadline.aborted) giveUp();
    else look();
  });
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
