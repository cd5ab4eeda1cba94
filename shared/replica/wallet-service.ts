/** The wallet over its replica: shows what was verified here, signs what the person wants, hands it to the coordinator. */
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { AiloError } from '../errors/index.ts';
import { ZERO_HASH } from '../ledger/binary.ts';
import { signCosignature } from '../ledger/cosignature.ts';
import { signRegistration } from '../ledger/registration.ts';
import { signReport } from '../ledger/report.ts';
import { type SignedTransaction, signTransaction } from '../ledger/transaction.ts';
import { describeDispute, describeTransaction } from '../protocol/describe.ts';
import { decodeAddress, encodeAddress } from '../wallet/address.ts';
import type { Wallet } from '../wallet/wallet.ts';
import { isUnanswered, type Submit } from './submitter.ts';
import type { KnownTransaction, Replica } from './types.ts';
import type { Recipient, TransactionDetail, WalletAccount, WalletService } from './wallet-types.ts';

export interface WalletServiceOptions {
  replica: Replica;
  wallet: Wallet;
  submit: Submit;
  /** Unix time. */
  now(): number;
}

/** Says nothing when it would not count: somebody else was faster, or the wallet has no vote. */
export type Cosign = () => Promise<void>;

/** With these the cosignature came too late or from somebody without a vote, which is nobody's mistake. */
const HARMLESS = new Set(['COSIGNATURE_EMPTY', 'COSIGNATURE_TOO_OLD', 'NOT_ELIGIBLE']);

export function createCosign({ replica, wallet, submit, now }: WalletServiceOptions): Cosign {
  return async () => {
    const covered = await replica.cosignable(wallet.publicKey, now());
    if (!covered) return;
    const { size, root } = covered;
    const { publicKey } = wallet;
    const signed = signCosignature(wallet, { networkId: replica.network.id, publicKey, size, root });
    await submit('cosignature', signed).catch((error) => {
      if (!(error instanceof AiloError) || !HARMLESS.has(error.code)) throw error;
    });
  };
}

export function createWalletService(options: WalletServiceOptions & { cosign: Cosign }): WalletService {
  const { replica, wallet, submit, now, cosign } = options;
  const { genesis, id: networkId } = replica.network;
  const { publicKey } = wallet;
  /** Signed, but nobody knows whether it arrived: the same wish is answered with the same bytes. */
  let unanswered: SignedTransaction | undefined;
  /** One transfer at a time: each is numbered after the one before. */
  let sending: Promise<unknown> = Promise.resolve();

  const described = (known: KnownTransaction): TransactionDetail => ({
    ...describeTransaction(genesis, known, now()),
    verifiers: known.verifiers,
    ...(known.dispute && { dispute: describeDispute(genesis, known.dispute, known.reports) }),
  });

  async function signed(transfer: Parameters<WalletService['send']>[0]): Promise<SignedTransaction> {
    const to = decodeAddress(transfer.to);
    const amountMicroAlc = BigInt(transfer.amountMicroAlc);
    await replica.sync();
    const account = await replica.account(publicKey);
    const nonce = (account?.nonce ?? 0) + 1;
    const before = unanswered?.transaction;
    const isSameWish =
      before?.memo === transfer.memo &&
      before.amountMicroAlc === amountMicroAlc &&
      bytesToHex(before.to) === bytesToHex(to);
    if (unanswered && isSameWish) return unanswered;
    const feeMicroAlc = BigInt(genesis.transfer.feeMicroAlc);
    const availableMicroAlc = account?.availableMicroAlc ?? 0n;
    const neededMicroAlc = amountMicroAlc + feeMicroAlc;
    if (transfer.to === wallet.address) throw AiloError.of('TRANSFER_TO_SELF', {});
    if (amountMicroAlc <= 0n) throw AiloError.of('AMOUNT_ZERO', {});
    if (availableMicroAlc < neededMicroAlc) {
      throw AiloError.of('BALANCE_INSUFFICIENT', { availableMicroAlc, neededMicroAlc });
    }
    return signTransaction(wallet, {
      networkId,
      type: 'transfer',
      from: publicKey,
      to,
      amountMicroAlc,
      feeMicroAlc,
      nonce,
      timeMs: now(),
      reference: ZERO_HASH,
      memo: transfer.memo,
    });
  }

  async function sendNow(transfer: Parameters<WalletService['send']>[0]): Promise<{ hash: string }> {
    const transaction = await signed(transfer);
    unanswered = transaction;
    try {
      await submit('transfer', transaction);
      unanswered = undefined;
    } catch (error) {
      if (!isUnanswered(error)) unanswered = undefined;
      throw error;
    }
    await see();
    return { hash: bytesToHex(transaction.hash) };
  }

  /** What was sealed, here too. Not seeing it yet must not look as if it had failed: who sends again pays twice. */
  async function see(): Promise<void> {
    await replica.sync().catch(() => {});
  }

  async function transaction(hash: string): Promise<KnownTransaction | undefined> {
    return replica.transaction(hexToBytes(hash));
  }

  return {
    async account(): Promise<WalletAccount> {
      const account = await replica.account(publicKey);
      return {
        availableMicroAlc: String(account?.availableMicroAlc ?? 0n),
        pendingMicroAlc: String(account?.pendingMicroAlc ?? 0n),
        ...(account?.username && { username: account.username }),
      };
    },
    async history(page) {
      const { transactions, next } = await replica.history(page);
      return { transactions: transactions.map(described), ...(next !== undefined && { next }) };
    },
    async transaction(hash) {
      const known = await transaction(hash);
      return known && described(known);
    },
    async resolve(to): Promise<Recipient> {
      const text = to.trim();
      if (text.toLowerCase().startsWith('alc1')) {
        const account = await replica.account(decodeAddress(text));
        return { address: text, ...(account?.username && { username: account.username }) };
      }
      const username = text.replace(/^@/, '').toLowerCase();
      const owner = await replica.ownerOf(username);
      if (!owner) throw AiloError.of('USERNAME_UNKNOWN', { username });
      return { address: encodeAddress(owner.publicKey), username };
    },
    send(transfer) {
      const sent = sending.then(() => sendNow(transfer));
      sending = sent.catch(() => {});
      return sent;
    },
    async report(hash, reason) {
      const report = { networkId, publicKey, transfer: hexToBytes(hash), reason: reason.trim() };
      await submit('report', signReport(wallet, report));
      await see();
    },
    async verify(hash) {
      await replica.sync();
      await cosign();
      await replica.sync();
      return (await transaction(hash))?.verifiers.includes(wallet.address) ?? false;
    },
    async register(username) {
      await replica.sync();
      const account = await replica.account(publicKey);
      if (account?.username === username) return;
      const number = (account?.registrations ?? 0) + 1;
      await submit('registration', signRegistration(wallet, { networkId, publicKey, number, username }));
      await see();
    },
  };
}
