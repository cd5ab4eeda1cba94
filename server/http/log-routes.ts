/** The log itself, for everyone who replays it: checkpoint, tiles, proofs of consistency. */
import { bytesToHex } from '@noble/hashes/utils.js';
import type { FastifyPluginAsync, FastifyReply } from 'fastify';
import * as v from 'valibot';
import { AiloError } from '../../shared/errors/index.ts';
import { describeSeal } from '../../shared/ledger/checkpoint.ts';
import { TILE_ENTRIES } from '../../shared/ledger/limits.ts';
import { type CheckpointResponse, type ConsistencyResponse, paths } from '../../shared/protocol/http.ts';
import type { Ledger } from '../ledger/types.ts';
import { FOR_EVER, PROOF_RATE } from './limits.ts';
import { parse, wholeNumber } from './parse.ts';

const MAX_TILE = Math.floor(Number.MAX_SAFE_INTEGER / TILE_ENTRIES) - 1;
const Tile = v.object({ index: wholeNumber(0, MAX_TILE), width: v.optional(wholeNumber(1, TILE_ENTRIES)) });
const Sizes = v.pipe(
  v.object({ from: wholeNumber(1, Number.MAX_SAFE_INTEGER), to: wholeNumber(1, Number.MAX_SAFE_INTEGER) }),
  v.check(({ from, to }) => from <= to, '“from” must not be more than “to”'),
);

export function logRoutes({ ledger }: { ledger: Ledger }): FastifyPluginAsync {
  async function sendTile(params: unknown, reply: FastifyReply) {
    const { index, width = TILE_ENTRIES } = parse(Tile, params);
    const bytes = await ledger.tile(index, width);
    if (!bytes) throw AiloError.of('NOT_FOUND', { what: `tile ${index} with ${width} entries` });
    return reply.header('cache-control', FOR_EVER).type('application/octet-stream').send(Buffer.from(bytes));
  }

  return async (app) => {
    app.get(paths.checkpoint, async ({ headers }, reply) => {
      const { seal } = await ledger.checkpoint();
      const body: v.InferInput<typeof CheckpointResponse> = describeSeal(seal);
      const etag = `"${body.signature.slice(0, 32)}"`;
      reply.header('cache-control', 'no-cache').header('etag', etag);
      return headers['if-none-match'] === etag ? reply.code(304).send() : body;
    });
    app.get(paths.tile(':index'), ({ params }, reply) => sendTile(params, reply));
    app.get(paths.partialTile(':index', ':width'), ({ params }, reply) => sendTile(params, reply));
    app.get(
      paths.consistency,
      { config: PROOF_RATE },
      async ({ query }): Promise<v.InferInput<typeof ConsistencyResponse>> => {
        const { from, to } = parse(Sizes, query);
        const proof = await ledger.consistency(from, to);
        if (!proof) throw AiloError.of('NOT_FOUND', { what: `checkpoint of ${to} entries` });
        return { from, to, proof: proof.map(bytesToHex) };
      },
    );
  };
}
