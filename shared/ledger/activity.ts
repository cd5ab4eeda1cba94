/** Who may vote: it takes work, so that nobody gets more votes by making more wallets. */
import type { Genesis } from './genesis.ts';
import type { Account } from './records.ts';

/** Whether the wallet earned a reward so recently that its verifications and reports count. */
export function isEligible(genesis: Genesis, account: Account | undefined, nowMs: number): account is Account {
  const { verifiedWorkMs } = genesis.activity;
  return account !== undefined && account.lastWorkMs > 0 && nowMs - account.lastWorkMs <= verifiedWorkMs;
}
