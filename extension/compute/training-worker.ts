/** The dedicated worker that trains, beside the one that answers: neither waits for the other's steps. */
import { createWorkerFiles } from './file-client.ts';
import { serveLearner } from './learner-serve.ts';
import type { Port } from './rpc.ts';
import { createWebEngine } from './web-runtime.ts';

serveLearner(self as unknown as Port, { createEngine: createWebEngine, createFiles: createWorkerFiles });
