/** `ailo node`: contributes this machine to a network until Ctrl-C. */
import { once } from 'node:events';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { AiloError } from '../../shared/errors/index.ts';
import type { AiloNode, NodeState } from '../../shared/node/types.ts';
import { type Cli, type Command, integer, number, string, url, usage, type Values } from '../cli.ts';
import { describe } from '../node/describe.ts';
import { createHeadlessNode, retire } from '../node/headless.ts';
import { textFile } from '../node/text-file.ts';

/** How long running answers may take to finish after Ctrl-C. */
const RETIRE_TIMEOUT_MS = 60_000;
const DEFAULT_BUDGET_MIB = 2048;

/** What computes is outside of V8: its heap had better stay small than be fast, for as long as the node runs. */
function keepHeapSmall(): void {
  setFlagsFromString('--optimize-for-size');
  setFlagsFromString('--max-semi-space-size=2');
}

export const node: Command = {
  options: {
    url: { type: 'string', value: 'URL', description: 'the coordinator, for example http://127.0.0.1:8790' },
    data: { type: 'string', value: 'DIR', description: 'where model chunks and the wallet are kept (~/.ailo/node)' },
    wallet: { type: 'string', value: 'FILE', description: 'wallet file, created if missing (DIR/wallet.json)' },
    username: { type: 'string', value: 'NAME', description: 'name to claim for the wallet' },
    'budget-mib': { type: 'string', value: 'N', description: `memory that may be used (${DEFAULT_BUDGET_MIB})` },
    'cache-gib': { type: 'string', value: 'N', description: 'disk that model files may take (as much as there is)' },
    threads: { type: 'string', value: 'N', description: 'threads that compute (one for each core)' },
    model: { type: 'string', value: 'ID', description: 'hold a part of this model only; with --units' },
    train: { type: 'string', value: 'ID', description: 'train in this campaign, or in any that runs: “any”' },
    text: {
      type: 'string',
      value: 'FILE',
      description: 'with --train: learn from this text, in campaigns of local texts only; it never leaves this machine',
    },
    units: { type: 'string', value: 'A-B', description: 'the placement units to hold, A to B without B' },
  },
  async run(values, cli) {
    keepHeapSmall();
    const dataDir = string(values, 'data', join(homedir(), '.ailo', 'node'));
    const { wallet, username, threads } = values;
    const want = parseWant(values);
    if (values.text !== undefined && values.train === undefined) throw usage('--text is for --train');
    const texts =
      values.text === undefined
        ? undefined
        : textFile(string(values, 'text'), join(dataDir, 'text-uses.json'), () => Date.now());
    // What is wrong with it is said at once.
    await texts?.read();
    const node = await createHeadlessNode({
      url: url(values, 'url'),
      dataDir,
      budgetBytes: integer(values, 'budget-mib', { min: 16, max: 2 ** 22, default: DEFAULT_BUDGET_MIB }) * 2 ** 20,
      log: cli.log,
      ...(typeof wallet === 'string' && { walletFile: wallet }),
      ...(typeof username === 'string' && { username }),
      ...(values['cache-gib'] !== undefined && {
        cacheBytes: number(values, 'cache-gib', { min: 0, max: 2 ** 20, default: 0 }) * 2 ** 30,
      }),
      ...(threads !== undefined && { threads: integer(values, 'threads', { min: 1, max: 1024, default: 1 }) }),
      ...(want && { want }),
      ...(texts && { texts }),
    });
    const refusal = watch(node, cli);
    node.start();
    node.contribute(true);
    if (values.train !== undefined) {
      node.train(values.train === 'any' ? true : string(values, 'train'), texts ? 'local' : 'public');
    }
    try {
      await Promise.race([refusal, cli.signal.aborted || once(cli.signal, 'abort')]);
      cli.print('Finishing what runs …');
    } finally {
      await retire(node, RETIRE_TIMEOUT_MS);
    }
    const { address, account } = node.state;
    cli.result({ address, ...(account && { account }) });
  },
};

/** Tells what changes; rejects with what makes it pointless to go on. */
function watch(node: AiloNode, cli: Cli): Promise<never> {
  let last = describe(node.state);
  return new Promise((_, reject) => {
    node.subscribe((state) => {
      const lines = describe(state);
      for (const aspect of ['connection', 'activity', 'training', 'account', 'error'] as const) {
        if (!lines[aspect] || lines[aspect] === last[aspect]) continue;
        cli.print(lines[aspect]);
        cli.log.info({ [aspect]: state[aspect] }, lines[aspect]);
      }
      last = lines;
      const error = hopeless(state);
      if (error) reject(AiloError.fromWire(error));
    });
  });
}

function hopeless({ connection, error }: NodeState): NodeState['error'] {
  const unmeetable = ['STAGE_TOO_LARGE', 'STAGE_RANGE_INVALID', 'MODEL_UNKNOWN', 'ENGINE_UNAVAILABLE'];
  return connection === 'refused' || unmeetable.includes(error?.code ?? '') ? error : undefined;
}

function parseWant(values: Values): { model: string; start: number; end: number } | undefined {
  const { model, units } = values;
  if (model === undefined && units === undefined) return undefined;
  const range = typeof units === 'string' ? /^(\d{1,4})-(\d{1,4})$/.exec(units) : null;
  if (typeof model !== 'string' || !range) throw usage('--model ID and --units A-B belong together, as in --units 2-6');
  return { model, start: Number(range[1]), end: Number(range[2]) };
}
