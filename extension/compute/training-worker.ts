/** The dedicated worker that trains, beside the one that answers: neither waits for the other's steps. */
import { serveLearner } from './learner-serve.ts';
import type { Port } from './rpc.ts';
import { createWebEngine } from './web-runtime.ts';

serveLearner(self as unknown as Port, createWebEngine);
