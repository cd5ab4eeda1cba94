/** The coordinator's HTTP server: public, usable from any origin. The paths are those of protocol/http.ts. */
import cors from '@fastify/cors';
import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { AiloError, toAiloError } from '../../shared/errors/index.ts';
import { UPLOAD_HEADERS } from '../../shared/protocol/http.ts';
import { type CampaignRoutes, campaignRoutes } from './campaign-routes.ts';
import { statusOf } from './errors.ts';
import { type LedgerRoutes, ledgerRoutes } from './ledger-routes.ts';
import { MAX_REQUESTS_PER_MINUTE, MAX_URL_BYTES, REQUEST_TIMEOUT_MS } from './limits.ts';
import { logRoutes } from './log-routes.ts';
import { type ModelRoutes, modelRoutes } from './model-routes.ts';
import { type SubmissionRoutes, submissionRoutes } from './submission-routes.ts';

export interface HttpOptions extends LedgerRoutes, SubmissionRoutes, ModelRoutes {
  /** Without them there is no training here. */
  campaigns?: CampaignRoutes['campaigns'];
  /** SHA-256 of the genesis file, hex. */
  networkId: string;
  log: Logger;
}

/** Not listening yet. Socket.IO may be attached to `.server`. */
export async function createHttp(options: HttpOptions): Promise<FastifyInstance> {
  function refuse(thrown: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
    const error = asAiloError(thrown);
    if (error.code === 'INTERNAL') options.log.error({ err: error.cause, url: request.url }, 'a request failed');
    reply.code(statusOf(error.code)).send(error.toWire());
  }

  const app = fastify({
    logger: false,
    routerOptions: { maxParamLength: MAX_URL_BYTES },
    requestTimeout: REQUEST_TIMEOUT_MS,
    // Sockets are the gateway's to close; a closing server must not wait for an idle browser.
    forceCloseConnections: true,
    // What fails before there is a route, a URL that is none, say.
    frameworkErrors: refuse,
  });
  app.setErrorHandler(refuse);
  app.setNotFoundHandler((_request, reply) => {
    reply.code(404).send(AiloError.of('NOT_FOUND', { what: 'page of this address' }).toWire());
  });
  await app.register(helmet, { crossOriginResourcePolicy: { policy: 'cross-origin' } });
  await app.register(cors, {
    origin: '*',
    methods: ['GET', 'HEAD', 'POST', 'PUT'],
    allowedHeaders: ['Range', 'Content-Type', ...Object.values(UPLOAD_HEADERS)],
    exposedHeaders: ['Content-Range', 'Content-Length', 'Accept-Ranges', 'ETag', 'Retry-After'],
  });
  await app.register(rateLimit, {
    max: MAX_REQUESTS_PER_MINUTE,
    timeWindow: 60_000,
    errorResponseBuilder: (_request, { ttl }) => AiloError.of('RATE_LIMITED', { retryAfterMs: ttl }),
  });
  app.get('/healthz', async () => ({ status: 'ok' }));
  await app.register(ledgerRoutes(options));
  await app.register(logRoutes(options));
  await app.register(submissionRoutes(options));
  await app.register(modelRoutes(options));
  const { campaigns, networkId } = options;
  if (campaigns) await app.register(campaignRoutes({ campaigns, networkId }));
  return app;
}

/** Fastify's own refusals (a broken URL, say) are the client's mistakes, not ours. */
function asAiloError(thrown: FastifyError): AiloError {
  const isRefusal = thrown.statusCode !== undefined && thrown.statusCode >= 400 && thrown.statusCode < 500;
  return isRefusal ? AiloError.of('REQUEST_INVALID', { reason: thrown.message }) : toAiloError(thrown);
}
