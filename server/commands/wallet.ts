/** `ailo wallet …`: a wallet in a file, for headless nodes and for people at a terminal. */
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import { AiloError } from '../../shared/errors/index.ts';
import { formatAlc, parseAlc } from '../../shared/ledger/money.ts';
import { createWallet } from '../../shared/wallet/wallet.ts';
import { newWords, normaliseWords } from '../../shared/wallet/words.ts';
import { type Cli, type Command, type Option, string, url, usage, type Values } from '../cli.ts';
import { openNodeLedger } from '../node/ledger.ts';
import { readWalletFile, readWalletWords, writeWalletFile } from '../node/wallet-file.ts';

const WALLET: Option = { type: 'string', value: 'FILE', description: 'the wallet file (~/.ailo/node/wallet.json)' };
const URL_OPTION: Option = {
  type: 'string',
  value: 'URL',
  description: 'the coordinator, for example http://127.0.0.1:8790',
};
/** More than twelve words are, and nothing that anybody types. */
const MAX_INPUT_CHARACTERS = 1024;

export const walletNew: Command = {
  options: { wallet: WALLET },
  async run(values, cli) {
    const path = pathOf(values);
    const words = newWords();
    if (!(await writeWalletFile(path, words))) throw AiloError.of('WALLET_FILE_EXISTS', { path });
    const { address } = createWallet(words);
    cli.print(`${address}\nThe wallet is in ${path}. Write down its words: ailo wallet show --words`);
    cli.result({ address, path });
  },
};

export const walletShow: Command = {
  options: {
    wallet: WALLET,
    url: { ...URL_OPTION, description: 'verify the ledger of this coordinator and show the balance' },
    words: { type: 'boolean', description: 'show the twelve words: whoever sees them owns the wallet' },
  },
  async run(values, cli) {
    const path = pathOf(values);
    const wallet = await readWalletFile(path);
    const { address } = wallet;
    const words = values.words === true ? await readWalletWords(path) : undefined;
    cli.print(address);
    if (words) cli.print(words);
    if (values.url === undefined) return cli.result({ address, ...(words && { words }) });
    await withLedger(values, cli, async ({ service, replica }) => {
      const account = await service.account();
      const { size } = replica.state;
      cli.print(`Available ${alc(account.availableMicroAlc)}, pending ${alc(account.pendingMicroAlc)}`);
      if (account.username) cli.print(`Username ${account.username}`);
      cli.print(`Verified on this machine: block ${size}`);
      cli.result({ address, ...(words && { words }), ...account, size });
    });
  },
};

export const walletSend: Command = {
  options: {
    wallet: WALLET,
    url: URL_OPTION,
    to: { type: 'string', value: 'WHO', description: 'an address (alc1…) or a username' },
    amount: { type: 'string', value: 'ALC', description: 'how much, for example 12.5' },
    memo: { type: 'string', value: 'TEXT', description: 'at most 64 bytes, public' },
    yes: { type: 'boolean', description: 'do not ask' },
  },
  async run(values, cli) {
    const [to, amount] = [string(values, 'to'), parseAlc(string(values, 'amount'))];
    const memo = string(values, 'memo', '');
    if (values.yes !== true && !process.stdin.isTTY) throw usage('--yes is needed where nobody can be asked');
    await withLedger(values, cli, async ({ service, replica }) => {
      const recipient = await service.resolve(to);
      const name = recipient.username ? `${recipient.username} (${recipient.address})` : recipient.address;
      const fee = replica.network.genesis.transfer.feeMicroAlc;
      const question = `Send ${alc(String(amount))} to ${name}, with a fee of ${alc(fee)}? [y/N] `;
      if (values.yes !== true && !(await isYes(question, cli.signal))) throw AiloError.of('CANCELLED', {});
      const { hash } = await service.send({ to: recipient.address, amountMicroAlc: String(amount), memo });
      cli.print(`Sent, and waiting for ${replica.network.genesis.transfer.confirmations} verifications: ${hash}`);
      cli.result({ hash, to: recipient.address, amountMicroAlc: String(amount), feeMicroAlc: fee });
    });
  },
};

export const walletRestore: Command = {
  options: { wallet: WALLET },
  async run(values, cli) {
    const path = pathOf(values);
    if (process.stdin.isTTY) process.stderr.write('The twelve words: ');
    const words = normaliseWords(await firstLine(cli.signal));
    if (!(await writeWalletFile(path, words))) throw AiloError.of('WALLET_FILE_EXISTS', { path });
    const { address } = createWallet(words);
    cli.print(`${address}\nThe wallet is in ${path}.`);
    cli.result({ address, path });
  },
};

function pathOf(values: Values): string {
  return string(values, 'wallet', join(homedir(), '.ailo', 'node', 'wallet.json'));
}

/** Verifies the coordinator's ledger up to now, next to the wallet file, and closes it afterwards. */
async function withLedger(
  values: Values,
  cli: Cli,
  use: (client: Awaited<ReturnType<typeof openNodeLedger>>) => Promise<void>,
): Promise<void> {
  const path = pathOf(values);
  const wallet = await readWalletFile(path);
  const client = await openNodeLedger({
    url: url(values, 'url'),
    wallet,
    dataDir: join(dirname(path), 'wallet'),
    log: cli.log,
    signal: cli.signal,
  });
  try {
    await use(client);
  } finally {
    await client.close();
  }
}

function alc(microAlc: string): string {
  return `${formatAlc(BigInt(microAlc))} ALC`;
}

async function isYes(question: string, signal: AbortSignal): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question(question, { signal })).trim());
  } finally {
    terminal.close();
  }
}

/** What stands on standard input up to the end of its first line. */
async function firstLine(signal: AbortSignal): Promise<string> {
  let text = '';
  for await (const chunk of process.stdin.setEncoding('utf8')) {
    text += chunk;
    if (text.includes('\n') || text.length > MAX_INPUT_CHARACTERS || signal.aborted) break;
  }
  return text.split('\n')[0]!.slice(0, MAX_INPUT_CHARACTERS);
}
