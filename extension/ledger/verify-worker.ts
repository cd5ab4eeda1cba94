/** A worker that does nothing but check signatures. */
import type { Port } from '../compute/rpc.ts';
import { serveVerifier } from './verifier-pool.ts';

serveVerifier(self as unknown as Port);
