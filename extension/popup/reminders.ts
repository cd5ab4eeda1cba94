import type { AccountSummary } from '../../shared/protocol/messages.ts';
import type { WalletView } from '../state.ts';

/** What a wallet with money still lacks, in sentences. */
export function remindersOf({ backedUp, hasPassword }: WalletView, account: AccountSummary | undefined): string[] {
  if (!account || BigInt(account.availableMicroAlc) + BigInt(account.pendingMicroAlc) <= 0n) return [];
  return [
    ...(backedUp
      ? []
      : ['There is money in this wallet. If this computer breaks, only its twelve words bring it back.']),
    ...(hasPassword ? [] : ['Without a password, whoever uses this computer can take it.']),
  ];
}
