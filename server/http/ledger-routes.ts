/** What the ledger tells everyone: accounts, histories, receipts, the newest checkpoint, the network itself. */
import type { FastifyPluginAsync } from 'fastify';
import * as v from 'valibot';
import { AiloError } from '../../shared/errors/index.ts';
import { describeSeal } from '../../shared/ledger/checkpoint.ts';
import type { Genesis } from '../../shared/ledger/genesis.ts';
import { type NetworkResponse, paths, type TransactionsResponse } from '../../shared/protocol/http.ts';
import { decodeAddress } from '../../shared/wallet/address.ts';
import { usernameOf } from '../coordinator/usernames.ts';
import type { Ledger } from '../ledger/types.ts';
import type { Database } from '../store/database.ts';
import { MAX_PAGE } from './limits.ts';

export interface LedgerRoutes {
  ledger: Ledger;
  database: Database;
  genesis: Genesis;
  /** Hex. */
  networkId: string;
}

const wholeNumber = (min: number, max: number) =>
  v.pipe(v.string(), v.regex(/^[0-9]{1,15}$/), v.transform(Number), v.minValue(min), v.maxValue(max));
const Address = v.object({ address: v.string() });
const Page = v.object({
  before: v.optional(wholeNumber(0, Number.MAX_SAFE_INTEGER)),
  limit: v.optional(wholeNumber(1, MAX_PAGE)),
});
const Receipt = v.object({
  hash: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, 'a receipt is named by 64 hex digits')),
});

export function ledgerRoutes({ ledger, database, genesis, networkId }: LedgerRoutes): FastifyPluginAsync {
  return async (app) => {
    app.get(paths.network, async (): Promise<v.InferInput<typeof NetworkResponse>> => {
      return { networkId, name: genesis.name, genesis, publicKey: genesis.publicKey };
    });
    app.get(paths.account(':address'), async ({ params }) => {
      const address = parseAddress(params);
      const username = await usernameOf(database, address);
      return { ...(await ledger.account(address)), ...(username !== undefined && { username }) };
    });
    app.get(
      paths.transactions(':address'),
      async ({ params, query }): Promise<v.InferInput<typeof TransactionsResponse>> => {
        const { before, limit = MAX_PAGE } = parse(Page, query);
        return ledger.transactions(parseAddress(params), { before, limit });
      },
    );
    app.get(paths.receipt(':hash'), async ({ params }) => {
      const receipt = await ledger.receipt(parse(Receipt, params).hash);
      if (!receipt) throw AiloError.of('NOT_FOUND', { what: 'such receipt' });
      return receipt;
    });
    app.get(paths.checkpoint, async () => describeSeal((await ledger.checkpoint()).seal));
  };
}

function parseAddress(params: unknown): string {
  const { address } = parse(Address, params);
  decodeAddress(address);
  return address;
}

function parse<S extends v.GenericSchema>(schema: S, value: unknown): v.InferOutput<S> {
  const parsed = v.safeParse(schema, value, { abortEarly: true });
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  throw AiloError.of('REQUEST_INVALID', { reason: `${v.getDotPath(issue) ?? 'it'}: ${issue.message}`.slice(0, 200) });
}
