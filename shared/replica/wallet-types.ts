/** What a wallet can ask and do, over its own verified replica. */
import type { TransactionResponse } from '../protocol/http.ts';

/** A transaction as it is shown. */
export type TransactionDetail = Omit<TransactionResponse, 'proof'>;

/** Of the wallet, from what was verified here. Amounts are decimal strings of µALC. */
export interface WalletAccount {
  availableMicroAlc: string;
  /** Received but not confirmed yet, or frozen. */
  pendingMicroAlc: string;
  username?: string;
}

export interface Recipient {
  address: string;
  username?: string;
}

export interface WalletService {
  account(): Promise<WalletAccount>;
  /** Newest first. */
  history(page: { before?: number; limit: number }): Promise<{ transactions: TransactionDetail[]; next?: number }>;
  /** By hash, hex. */
  transaction(hash: string): Promise<TransactionDetail | undefined>;
  /** Whom `alc1…`, `name` or `@name` means. Throws ADDRESS_INVALID, PUBLIC_KEY_INVALID, USERNAME_UNKNOWN. */
  resolve(to: string): Promise<Recipient>;
  /**
   * Signs a transfer and resolves when it is sealed in the ledger. Throws the error of the rule it breaks, found here
   * before anything is signed where that is possible; LEDGER_UNREACHABLE: asking again cannot send it twice.
   *
   * @param to an address
   * @param amountMicroAlc decimal
   */
  send(transfer: { to: string; amountMicroAlc: string; memo: string }): Promise<{ hash: string }>;
  /** Says in public that the transfer is bad. */
  report(hash: string, reason: string): Promise<void>;
  /** Verifies everything up to now and cosigns; whether this wallet's verification of the transfer counts now. */
  verify(hash: string): Promise<boolean>;
  /** Claims a username. */
  register(username: string): Promise<void>;
}
