/** `ailo`: what operators and researchers use. Each command lives in commands/ and is loaded when it is called. */
import { toAiloError } from '../shared/errors/index.ts';
import { type Command, runCommand } from './cli.ts';

const commands: Record<string, { summary: string; load: () => Promise<Command> }> = {
  serve: {
    summary: 'run a coordinator',
    load: async () => (await import('./commands/serve.ts')).serve,
  },
  demo: {
    summary: 'a whole network on this machine: coordinator, three nodes, a browser to chat from',
    load: async () => (await import('./commands/demo.ts')).demo,
  },
  node: {
    summary: 'contribute this machine to a network, without a browser',
    load: async () => (await import('./commands/node.ts')).node,
  },
  generate: {
    summary: 'run a model here, split into stages',
    load: async () => (await import('./commands/generate.ts')).generate,
  },
  'model add': {
    summary: 'put a model into a data folder, from a folder or the hub, for ailo serve to serve',
    load: async () => (await import('./commands/model.ts')).modelAdd,
  },
  'model list': {
    summary: 'the models that were added, and those that Ailo is made for',
    load: async () => (await import('./commands/model.ts')).modelList,
  },
  'model remove': {
    summary: 'take a model out of a data folder',
    load: async () => (await import('./commands/model.ts')).modelRemove,
  },
  'wallet new': {
    summary: 'make a wallet file with new words',
    load: async () => (await import('./commands/wallet.ts')).walletNew,
  },
  'wallet show': {
    summary: 'address, verified balance, and on request the words of a wallet',
    load: async () => (await import('./commands/wallet.ts')).walletShow,
  },
  'wallet send': {
    summary: 'send ALC to an address or a username',
    load: async () => (await import('./commands/wallet.ts')).walletSend,
  },
  'wallet restore': {
    summary: 'make a wallet file from twelve words',
    load: async () => (await import('./commands/wallet.ts')).walletRestore,
  },
  'ledger verify': {
    summary: 'replay a whole ledger from its beginning, trusting nobody',
    load: async () => (await import('./commands/ledger.ts')).ledgerVerify,
  },
  simulate: {
    summary: 'a network of hundreds of nodes on this machine, with made-up latency, and how fast it answers',
    load: async () => (await import('./commands/simulate.ts')).simulateCommand,
  },
  'campaign create': {
    summary: 'let nodes train a model together at this coordinator',
    load: async () => (await import('./commands/campaign.ts')).campaignCreate,
  },
  'campaign list': {
    summary: 'how far the campaigns of a coordinator have come',
    load: async () => (await import('./commands/campaign.ts')).campaignList,
  },
  'campaign pause': {
    summary: 'begin no more rounds of a campaign',
    load: async () => (await import('./commands/campaign.ts')).campaignPause,
  },
  'campaign resume': {
    summary: 'go on with a paused campaign',
    load: async () => (await import('./commands/campaign.ts')).campaignResume,
  },
  train: {
    summary: 'train a model here, alone or as several workers of a federation',
    load: async () => (await import('./commands/train.ts')).train,
  },
  eval: {
    summary: 'measure how well a model predicts a text',
    load: async () => (await import('./commands/eval.ts')).evaluate,
  },
};

/** The longest name that the words begin with: `wallet send` is a command, and so is `node`. */
function commandOf(words: string[]): { name: string | undefined; args: string[] } {
  const two = words.slice(0, 2).join(' ');
  return Object.hasOwn(commands, two) ? { name: two, args: words.slice(2) } : { name: words[0], args: words.slice(1) };
}

async function main(words: string[]): Promise<number> {
  const { name, args } = commandOf(words);
  const command = name === undefined ? undefined : Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (!command || !name) {
    const help = name === undefined || name === '--help' || name === 'help';
    const out = help ? process.stdout : process.stderr;
    if (!help) out.write(`ailo: there is no command “${name}”.\n\n`);
    out.write(overview());
    return help ? 0 : 2;
  }
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
  try {
    await runCommand({ name, summary: command.summary, command: await command.load() }, args, stop.signal);
    return 0;
  } catch (thrown) {
    const error = toAiloError(thrown);
    if (error.code === 'CANCELLED' && stop.signal.aborted) return 130;
    process.stderr.write(`ailo: ${error.message}\n`);
    if (error.code === 'INTERNAL') console.error(error.cause);
    return error.code === 'USAGE' ? 2 : 1;
  }
}

function overview(): string {
  const width = Math.max(...Object.keys(commands).map((name) => name.length));
  const lines = Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`);
  return `ailo COMMAND [options]\n\n${lines.join('\n')}\n\nailo COMMAND --help tells the options.\n`;
}

process.exitCode = await main(process.argv.slice(2));
