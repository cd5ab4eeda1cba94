/**
 * onnxruntime-node, which is to be had from here only: since 1.30 its library tells Microsoft of every session, unless the
 * environment forbids it before it is loaded. An import of the package itself would come first.
 */
import { createRequire } from 'node:module';
import type * as OnnxRuntimeNode from 'onnxruntime-node';

process.env.ORT_DISABLE_TELEMETRY = '1';

export const ort: typeof OnnxRuntimeNode = createRequire(import.meta.url)('onnxruntime-node');
