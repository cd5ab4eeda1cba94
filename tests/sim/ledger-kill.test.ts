/**
 * The ledger under load, killed at each named point of a commit and then at random moments: `npm run test:kill` kills it
 * 50 times, the usual run 8 times. After every kill the whole ledger must verify; in the end whatever was acknowledged must
 * be there once, nothing twice.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { CommitPoint } from '../../server/ledger/committer.ts';
import { openFolderSource } from '../../server/ledger/folder-source.ts';
import { verifyLedger } from '../../shared/replica/verify.ts';
import { Wallet } from '../../shared/wallet/wallet.ts';
import { type Sent, sendTransfers } from './ledger-load.ts';
import { startLedger } from './ledger-process.ts';
import { networkAt, replayLog } from './ledger-replay.ts';
import type { ServerProcess } from './process.ts';

const KILLS = Number(process.env.AILO_KILLS ?? 8);
const POINTS: CommitPoint[] = ['begun', 'staged', 'signed', 'swapped', 'published'];
const WALLETS = 12;
/** A life ends at a random moment soon after a random number of transfers was acknowledged in it. */
const MAX_ACKNOWLEDGED = 40;
const MAX_DELAY_MS = 50;

const wallets = Array.from({ length: WALLETS + 1 }, (_, i) => new Wallet(new Uint8Array(32).fill(i + 1)));
const addresses = wallets.map(({ address }) => address);
/** As `ailo ledger verify --dir` does, on what the dead process left. Throws what is not sound. */
async function verifyLeft(): Promise<void> {
  const source = await openFolderSource(folder);
  await verifyLedger({ source, now: Date.now, signal: new AbortController().signal });
  source.close();
}

let folder: string;
let running: ServerProcess | undefined;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ailo-kill-'));
});
afterAll(async () => {
  await running?.kill();
  await rm(folder, { recursive: true });
});

test(
  `a ledger that is killed ${KILLS} times loses nothing it acknowledged and makes nothing twice`,
  async () => {
    running = await startLedger(folder, addresses, POINTS[0]);
    const network = await networkAt(running.url);
    const sent: Sent[] = [];
    let stopping = false;
    let left = 0;
    let enough = () => {};
    const acknowledge = (count: number) =>
      new Promise<void>((resolve) => {
        left = count;
        enough = resolve;
      });
    const loads = wallets.slice(1).map((wallet, i) =>
      sendTransfers({
        wallet,
        to: wallets[1 + ((i + 1) % WALLETS)]!.publicKey,
        network,
        url: () => running!.url,
        random: Math.random,
        sent,
        onAcknowledged: () => void (--left === 0 && enough()),
        stopped: () => stopping,
      }),
    );
    // What a load throws must not wait until the end.
    const failed = Promise.all(loads).then(() => undefined);
    for (let kill = 0; kill < KILLS; kill++) {
      if (kill < POINTS.length) {
        await Promise.race([failed, running.died]);
      } else {
        await Promise.race([failed, acknowledge(1 + Math.floor(MAX_ACKNOWLEDGED * Math.random()))]);
        await new Promise((resolve) => setTimeout(resolve, MAX_DELAY_MS * Math.random()));
        await running.kill();
      }
      await verifyLeft();
      running = await startLedger(folder, addresses, POINTS[kill + 1]);
    }
    await Promise.race([failed, acknowledge(MAX_ACKNOWLEDGED)]);
    stopping = true;
    await failed;

    const { state, transfers } = await replayLog(running.url, network);
    const acknowledged = sent.filter(({ index }) => index !== undefined);
    for (const { hash, index } of acknowledged) expect(transfers.get(hash)).toEqual([index]);
    for (const places of transfers.values()) expect(places).toHaveLength(1);
    const known = new Set(sent.map(({ hash }) => hash));
    for (const hash of transfers.keys()) expect(known).toContain(hash);
    // Kills must have hit the load, and not only idle moments.
    expect(sent.length).toBeGreaterThan(acknowledged.length);

    const { mintedMicroAlc, burnedMicroAlc, treasuryMicroAlc } = state.totals;
    const held = state
      .records()
      .accounts.reduce((sum, each) => sum + each.availableMicroAlc + each.pendingMicroAlc, 0n);
    expect(held + burnedMicroAlc + treasuryMicroAlc).toBe(mintedMicroAlc);
    expect(burnedMicroAlc + treasuryMicroAlc).toBe(10_000n * BigInt(transfers.size));
    console.log(
      `${KILLS} kills: ${sent.length} transfers sent, ${acknowledged.length} acknowledged, ${transfers.size} in the log`,
    );
  },
  60_000 * (1 + KILLS),
);
