/** `npm run bench -- ledger`: the ledger's parts, one measurement after the other. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Command, integer } from '../../server/cli.ts';
import { measureTransfers } from './ledger-transfers.ts';
import { benchReplay } from './replay.ts';

export const ledger: Command = {
  options: {
    wallets: { type: 'string', value: 'N', description: 'wallets, each with one transfer under way (1000)' },
    each: { type: 'string', value: 'N', description: 'transfers of each wallet (10)' },
    replay: { type: 'string', value: 'N', description: 'transfers that Chromium downloads and replays (50000)' },
  },

  async run(values, cli) {
    const wallets = integer(values, 'wallets', { min: 2, max: 10_000, default: 1000 });
    const each = integer(values, 'each', { min: 1, max: 1000, default: 10 });
    const replayed = integer(values, 'replay', { min: 1, max: 2_000_000, default: 50_000 });
    const folder = await mkdtemp(join(tmpdir(), 'ailo-bench-'));
    try {
      const transfers = await measureTransfers({ path: join(folder, 'ledger.sqlite'), wallets, each });
      cli.print(
        `${transfers.transfersPerSecond} durable transfers a second (${transfers.transfers} of ${wallets} wallets)`,
      );
      cli.print(`sealed after ${transfers.p50Ms} ms (median), ${transfers.p99Ms} ms (99th percentile)`);
      cli.print(`${transfers.bytesPerTransfer} bytes a transfer in the log's tiles`);
      const replay = await benchReplay({ transfers: replayed });
      cli.print(
        `${replay.transactionsPerSecond} transactions a second replayed in Chromium, signatures included (${replay.transactions} in ${replay.seconds} s)`,
      );
      cli.result({ benchmark: 'ledger', sequencer: transfers, replay });
    } finally {
      await rm(folder, { recursive: true });
    }
  },
};
