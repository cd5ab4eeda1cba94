/** A wallet on the ledger, in Node.js. */
import type { Logger } from 'pino';
import { AiloError } from '../../shared/errors/index.ts';
import { systemSchedule } from '../../shared/protocol/schedule.ts';
import { createLedgerClient, type LedgerClient } from '../../shared/replica/ledger-client.ts';
import type { Replica } from '../../shared/replica/types.ts';
import type { WalletService } from '../../shared/replica/wallet-types.ts';
import type { Wallet } from '../../shared/wallet/wallet.ts';
import { openReplica } from './replica.ts';

export interface NodeLedgerOptions {
  /** The coordinator. */
  url: string;
  wallet: Wallet;
  /** Keeps the replica, for each wallet on its own: nodes of one machine may share it. */
  dataDir: string;
  username?: string;
  log: Logger;
}

export function createNodeLedger({ url, wallet, dataDir, username, log }: NodeLedgerOptions): LedgerClient {
  return createLedgerClient({
    openReplica: () => {
      return openReplica({ url, publicKey: wallet.publicKey, dataDir, log });
    },
    wallet,
    url,
    fetch,
    ...(username !== undefined && { username }),
    schedule: systemSchedule,
    now: () => Date.now(),
    random: Math.random,
    log,
  });
}

/**
 * The same for a command that cannot go on without it: verified up to the newest checkpoint. Throws why the ledger cannot be opened or
 * verified now, without trying again.
 */
export async function openNodeLedger(
  options: NodeLedgerOptions & { signal: AbortSignal },
): Promise<{ replica: Replica; service: WalletService; close(): Promise<void> }> {
  const client = createNodeLedger(options);
  try {
    await opened(client, options.signal);
    const { replica, service } = client;
    if (!replica || !service) throw AiloError.of('LEDGER_NOT_READY', {});
    await replica.sync(options.signal);
    return { replica, service, close: () => client.close() };
  } catch (error) {
    await client.close();
    throw error;
  }
}

/** When the replica is open, or the first attempt has failed. */
function opened(client: LedgerClient, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const look = () => {
      const { replica, error } = client.state;
      if (replica) resolve();
      else if (error) reject(AiloError.fromWire(error));
    };
    client.subscribe(look);
    signal.addEventListener('abort', () => reject(AiloError.of('CANCELLED', {})), { once: true });
    look();
  });
}
