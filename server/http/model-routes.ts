/** The files of the served models: exactly those of the manifest, whole or by range. */
import fastifyStatic from '@fastify/static';
import type { FastifyPluginAsync } from 'fastify';
import { AiloError } from '../../shared/errors/index.ts';
import { paths } from '../../shared/protocol/http.ts';
import type { ServedModel } from '../coordinator/model-store.ts';

export interface ModelRoutes {
  models: ReadonlyMap<string, Pick<ServedModel, 'folder' | 'manifest' | 'manifestBytes'>>;
}

interface FileParams {
  model: string;
  path: string;
}

export function modelRoutes({ models }: ModelRoutes): FastifyPluginAsync {
  function modelOf(id: string) {
    const model = models.get(id);
    if (!model) throw AiloError.of('MODEL_UNKNOWN', { model: id });
    return model;
  }

  function fileOf({ model, path }: FileParams) {
    const file = modelOf(model).manifest.files.find((each) => each.path === path);
    if (!file) throw AiloError.of('MODEL_FILE_MISSING', { path });
    return file;
  }

  return async (app) => {
    // Nodes keep what they verified in their own chunk store; a second copy in the HTTP cache would be waste.
    await app.register(fastifyStatic, { serve: false, cacheControl: false, etag: false, lastModified: false });
    app.addHook('onSend', async (_request, reply) => void reply.header('cache-control', 'no-store'));

    app.get<{ Params: { model: string } }>(paths.manifest(':model'), async ({ params }, reply) => {
      const { manifestBytes } = modelOf(params.model);
      return reply.type('application/json').send(Buffer.from(manifestBytes));
    });

    app.get<{ Params: FileParams }>(
      paths.modelFile(':model', ':path'),
      {
        errorHandler(error, { params }, reply) {
          if (error.statusCode !== 416) throw error;
          // RFC 9110 §15.5.17: tells the length, so that the client can ask again.
          const { size } = fileOf(params);
          reply.header('content-range', `bytes */${size}`);
          throw AiloError.of('RANGE_UNSATISFIABLE', { bytes: size });
        },
      },
      ({ params }, reply) => {
        fileOf(params);
        return reply.sendFile(params.path, modelOf(params.model).folder);
      },
    );
  };
}
