/** `ailo ledger verify`: replays a whole ledger from its genesis, trusting nobody. */
import { bytesToHex } from '@noble/hashes/utils.js';
import { toAiloError } from '../../shared/errors/index.ts';
import { formatAlc } from '../../shared/ledger/money.ts';
import { httpLedgerSource } from '../../shared/replica/source.ts';
import { type LedgerSummary, verifyLedger } from '../../shared/replica/verify.ts';
import { type Command, string, url, usage, type Values } from '../cli.ts';
import { openFolderSource } from '../ledger/folder-source.ts';

export const ledgerVerify: Command = {
  options: {
    url: { type: 'string', value: 'URL', description: 'the ledger of this coordinator, downloaded' },
    dir: { type: 'string', value: 'DIR', description: 'the ledger in a coordinator’s data folder' },
  },
  async run(values, cli) {
    const source = await openSource(values);
    try {
      const summary = await verifyLedger({ source, now: Date.now, signal: cli.signal });
      for (const line of describe(summary)) cli.print(line);
      cli.result(plain(summary));
    } catch (thrown) {
      const error = toAiloError(thrown);
      if (error.code === 'LEDGER_UNSOUND') cli.result({ ok: false, error: error.toWire() });
      throw thrown;
    } finally {
      source.close();
    }
  },
};

async function openSource(values: Values) {
  if ((values.url === undefined) === (values.dir === undefined)) throw usage('either --url or --dir is needed');
  if (values.dir !== undefined) return openFolderSource(string(values, 'dir'));
  return { ...httpLedgerSource({ url: url(values, 'url'), fetch }), close() {} };
}

function plain({ root, mintedMicroAlc, burnedMicroAlc, treasuryMicroAlc, size, ...counts }: LedgerSummary) {
  return {
    size,
    root: bytesToHex(root),
    minted: String(mintedMicroAlc),
    burned: String(burnedMicroAlc),
    treasury: String(treasuryMicroAlc),
    ...counts,
    ok: true,
  };
}

function describe({ size, root, accounts, transfers, confirmed, reversed, ...money }: LedgerSummary): string[] {
  const alc = (microAlc: bigint) => `${formatAlc(microAlc)} ALC`;
  return [
    `Verified: all ${size} entries keep every rule.`,
    `Root      ${bytesToHex(root)}`,
    `Minted    ${alc(money.mintedMicroAlc)}, burned ${alc(money.burnedMicroAlc)}, treasury ${alc(money.treasuryMicroAlc)}`,
    `Accounts  ${accounts}`,
    `Transfers ${transfers}, of which ${confirmed} confirmed and ${reversed} reversed`,
  ];
}
