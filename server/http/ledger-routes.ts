/** What the ledger tells everyone: accounts and names, histories, transactions, receipts, the network itself. */
import type { FastifyPluginAsync } from 'fastify';
import * as v from 'valibot';
import { AiloError } from '../../shared/errors/index.ts';
import type { Genesis } from '../../shared/ledger/genesis.ts';
import { USERNAME } from '../../shared/ledger/limits.ts';
import {
  type AccountResponse,
  type NetworkResponse,
  paths,
  type TransactionResponse,
  type TransactionsResponse,
  type UsernameResponse,
} from '../../shared/protocol/http.ts';
import { decodeAddress } from '../../shared/wallet/address.ts';
import type { Ledger } from '../ledger/types.ts';
import { MAX_PAGE, PROOF_RATE } from './limits.ts';
import { parse, wholeNumber } from './parse.ts';

export interface LedgerRoutes {
  ledger: Ledger;
  genesis: Genesis;
  /** Hex. */
  networkId: string;
}

const Address = v.object({ address: v.string() });
const Page = v.object({
  before: v.optional(wholeNumber(0, Number.MAX_SAFE_INTEGER)),
  limit: v.optional(wholeNumber(1, MAX_PAGE)),
});
const Username = v.object({ username: v.string() });
const named = (what: string) =>
  v.object({ hash: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, `a ${what} is named by 64 hex digits`)) });
const Receipt = named('receipt');
const Transaction = named('transaction');

export function ledgerRoutes({ ledger, genesis, networkId }: LedgerRoutes): FastifyPluginAsync {
  return async (app) => {
    app.get(paths.network, async (): Promise<v.InferInput<typeof NetworkResponse>> => {
      return { networkId, name: genesis.name, genesis, publicKey: genesis.publicKey };
    });
    app.get(paths.account(':address'), async ({ params }): Promise<v.InferInput<typeof AccountResponse>> => {
      const address = parseAddress(params);
      const username = await ledger.usernameOf(address);
      return { ...(await ledger.account(address)), ...(username !== undefined && { username }) };
    });
    app.get(
      paths.transactions(':address'),
      async ({ params, query }): Promise<v.InferInput<typeof TransactionsResponse>> => {
        const { before, limit = MAX_PAGE } = parse(Page, query);
        return ledger.transactions(parseAddress(params), { before, limit });
      },
    );
    app.get(
      paths.transaction(':hash'),
      { config: PROOF_RATE },
      async ({ params }): Promise<v.InferInput<typeof TransactionResponse>> => {
        return found(await ledger.transaction(parse(Transaction, params).hash), 'such transaction');
      },
    );
    app.get(paths.username(':username'), async ({ params }): Promise<v.InferInput<typeof UsernameResponse>> => {
      const { username } = parse(Username, params);
      if (!USERNAME.test(username)) throw AiloError.of('USERNAME_INVALID', {});
      return { username, address: found(await ledger.ownerOf(username), `wallet with the name “${username}”`) };
    });
    app.get(paths.receipt(':hash'), async ({ params }) => {
      return found(await ledger.receipt(parse(Receipt, params).hash), 'such receipt');
    });
  };
}

function found<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw AiloError.of('NOT_FOUND', { what });
  return value;
}

function parseAddress(params: unknown): string {
  const { address } = parse(Address, params);
  decodeAddress(address);
  return address;
}
