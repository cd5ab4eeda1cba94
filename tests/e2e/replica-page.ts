/** Runs in Chromium: the replica's cases on IndexedDB, the vectors, and a replay in the extension's worker. */
import { dexieStores } from '../../extension/ledger/dexie-stores.ts';
import { replicaCases } from '../../shared/replica/cases.ts';
import { failures, OUTSIDE_FILES } from '../vectors/cases.ts';
import { goldenCases, platformVerdicts } from '../vectors/golden-cases.ts';

declare global {
  /** Throws what the case throws. */
  function ailoReplicaCase(name: string): Promise<void>;
  /** Of one of OUTSIDE_FILES: how many cases there are, and those that fail. */
  function ailoOutside(path: string, json: unknown): { count: number; failed: unknown[] };
  /** Of ledger.json. */
  function ailoGolden(json: never): Promise<{ count: number; failed: unknown[]; verdicts: boolean[] }>;
}

globalThis.ailoReplicaCase = (name) =>
  replicaCases.find((each) => each.name === name)!.run({ stores: () => dexieStores(name) });

globalThis.ailoOutside = (path, json) => {
  const [, make] = OUTSIDE_FILES.find(([file]) => file === path)!;
  const cases = make(json as never);
  return { count: cases.length, failed: failures(cases) };
};

globalThis.ailoGolden = async (json) => {
  const cases = goldenCases(json);
  return { count: cases.length, failed: failures(cases), verdicts: await platformVerdicts(json) };
};
