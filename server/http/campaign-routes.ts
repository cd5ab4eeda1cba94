/** What campaigns need: their files go out, updates come in. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { hexToBytes } from '@noble/hashes/utils.js';
import type { FastifyPluginAsync, FastifyReply } from 'fastify';
import * as v from 'valibot';
import { sha256Hex } from '../../shared/bytes/sha256.ts';
import { AiloError } from '../../shared/errors/index.ts';
import { type CampaignSummary, type CampaignsResponse, paths, UPLOAD_HEADERS } from '../../shared/protocol/http.ts';
import { Id, ModelId } from '../../shared/protocol/messages.ts';
import { TOKENIZER_FILES } from '../../shared/train/campaign/files.ts';
import { uploadBytes } from '../../shared/train/campaign/upload.ts';
import { promiseOf } from '../../shared/train/group/promise.ts';
import { encodeAddress } from '../../shared/wallet/address.ts';
import { checkPublicKey, verify } from '../../shared/wallet/public-key.ts';
import type { Campaigns } from '../campaigns/campaigns.ts';
import type { Runner } from '../campaigns/runner.ts';
import { FOR_EVER, MAX_UPDATE_BODY_BYTES } from './limits.ts';
import { parse, wholeNumber } from './parse.ts';

export interface CampaignRoutes {
  campaigns: Pick<Campaigns, 'of' | 'list'>;
  /** SHA-256 of the genesis file, hex. */
  networkId: string;
}

const number = wholeNumber(0, 2 ** 32 - 1);
const Campaign = v.object({ id: ModelId });
const Shard = v.object({ id: ModelId, shard: number });
const File = v.object({ id: ModelId, file: v.string() });
const Round = v.object({ id: ModelId, round: number });
const Upload = v.object({ id: ModelId, unit: Id });
const hex = (bytes: number) => v.pipe(v.string(), v.regex(new RegExp(`^[0-9a-f]{${2 * bytes}}$`)));
const Headers = v.object({ [UPLOAD_HEADERS.publicKey]: hex(32), [UPLOAD_HEADERS.signature]: hex(64) });

export function campaignRoutes({ campaigns, networkId }: CampaignRoutes): FastifyPluginAsync {
  return async (app) => {
    app.addContentTypeParser(
      'application/octet-stream',
      { parseAs: 'buffer', bodyLimit: MAX_UPDATE_BODY_BYTES },
      (_request, body, done) => done(null, body),
    );

    app.get(paths.campaigns, async (): Promise<CampaignsResponse> => ({ campaigns: campaigns.list().map(describe) }));

    app.get(paths.campaign(':id'), async ({ params }) => campaigns.of(parse(Campaign, params).id).state.campaign);

    app.get(paths.shard(':id', ':shard'), async ({ params }, reply) => {
      const { id, shard } = parse(Shard, params);
      const { folder, state } = campaigns.of(id);
      const { data } = state.campaign;
      if (data.mode !== 'public' || shard >= data.shards) throw AiloError.of('NOT_FOUND', { what: 'such shard' });
      const bytes = 4 * data.shardTokens;
      return stream(reply, folder.training, { start: shard * bytes, end: (shard + 1) * bytes - 1 });
    });

    app.get(paths.campaignFile(':id', ':file'), async ({ params }, reply) => {
      const { id, file } = parse(File, params);
      const { folder } = campaigns.of(id);
      const missing = () => AiloError.of('NOT_FOUND', { what: 'such file' });
      const known = TOKENIZER_FILES.find((name) => name === file);
      if (!known) throw missing();
      return stream(reply, folder.file(known)).catch(() => {
        throw missing();
      });
    });

    app.get(paths.weights(':id', ':round'), async ({ params, headers }, reply) => {
      const { id, round } = parse(Round, params);
      const { folder, state } = campaigns.of(id);
      if (round > state.round) throw AiloError.of('NOT_FOUND', { what: 'such round yet' });
      const gone = () => {
        throw AiloError.of('WEIGHTS_GONE', { round });
      };
      const { size } = await stat(folder.weights(round)).catch(gone);
      const range = rangeOf(headers.range, size);
      if (range) reply.code(206).header('content-range', `bytes ${range.start}-${range.end}/${size}`);
      return stream(reply, folder.weights(round), range).catch(gone);
    });

    app.get(paths.delta(':id', ':round'), async ({ params }, reply) => {
      const { id, round } = parse(Round, params);
      const { folder, state } = campaigns.of(id);
      if (round >= state.round) throw AiloError.of('NOT_FOUND', { what: 'such round yet' });
      return stream(reply.header('cache-control', FOR_EVER), folder.delta(round));
    });

    app.put(
      paths.update(':id', ':unit'),
      { bodyLimit: MAX_UPDATE_BODY_BYTES },
      async ({ params, headers, body }, reply) => {
        const { id, unit } = parse(Upload, params);
        const runner = campaigns.of(id);
        const signed = parse(Headers, headers);
        if (!(body instanceof Uint8Array)) throw AiloError.of('REQUEST_INVALID', { reason: 'its body is no update' });
        if (body.length > runner.maxUpdateBytes) throw AiloError.of('UPDATE_INVALID', { reason: 'it is too large' });
        const publicKey = hexToBytes(signed[UPLOAD_HEADERS.publicKey]!);
        checkPublicKey(publicKey);
        const message = uploadBytes({ networkId, unit, hash: await sha256Hex(body) });
        if (!verify(hexToBytes(signed[UPLOAD_HEADERS.signature]!), message, publicKey)) {
          throw AiloError.of('SIGNATURE_INVALID', {});
        }
        await runner.submit(encodeAddress(publicKey), unit, body);
        reply.code(204);
      },
    );
  };
}

function describe({ state }: Runner): CampaignSummary {
  const { campaign, phase, paused, round, workers, weights, losses } = state;
  const { id, rounds, data } = campaign;
  const { mode } = data;
  const groups = promiseOf(campaign);
  return {
    id,
    mode,
    ...(groups && { groups }),
    phase,
    paused,
    round,
    rounds,
    workers: workers.size,
    weights,
    losses: [...losses],
  };
}

/** One range of bytes (RFC 9110 §14.1.2); whatever else is asked for gets the whole. */
function rangeOf(header: string | undefined, size: number): { start: number; end: number } | undefined {
  const [, first, last] = /^bytes=(\d{1,15})-(\d{1,15})$/.exec(header ?? '') ?? [];
  const [start, end] = [Number(first), Math.min(Number(last), size - 1)];
  return start <= end ? { start, end } : undefined;
}

async function stream(reply: FastifyReply, path: string, range?: { start: number; end: number }) {
  const { size } = await stat(path);
  reply.type('application/octet-stream').header('content-length', range ? range.end - range.start + 1 : size);
  return reply.send(createReadStream(path, range));
}
