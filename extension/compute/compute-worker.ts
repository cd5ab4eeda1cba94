/** The dedicated worker of the node's page: a run of onnxruntime blocks its whole thread. */
import type { Port } from './rpc.ts';
import { serveRuntime } from './serve.ts';
import { createWebRuntime } from './web-runtime.ts';

serveRuntime(self as unknown as Port, createWebRuntime);
