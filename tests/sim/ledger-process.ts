/** Starts tests/sim/ledger-server.ts and kills it without warning. */
import type { CommitPoint } from '../../server/ledger/committer.ts';
import { type ServerProcess, startProcess } from './process.ts';

/**
 * Resolves when it answers.
 *
 * @param dieAt where in one of its commits it kills itself
 */
export function startLedger(folder: string, addresses: readonly string[], dieAt?: CommitPoint): Promise<ServerProcess> {
  return startProcess('./ledger-server.ts', [folder, ...addresses], dieAt && { AILO_DIE_AT: dieAt });
}
