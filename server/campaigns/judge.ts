import { Worker } from 'node:worker_threads';
import { AiloError, type WireError } from '../../shared/errors/index.ts';
import type { Campaign } from '../../shared/train/campaign/campaign.ts';
import type { CampaignFolder } from './folder.ts';
import type { Cohort } from './measure.ts';
import type { Measured } from './verdicts.ts';

export interface JudgeRequest {
  id: number;
  folder: string;
  campaign: Campaign;
  cohort: Cohort;
}
export type JudgeResponse = { id: number; measured: Measured[] } | { id: number; error: WireError; cause: string };

export interface Judge {
  /** Throws the errors of `CohortMeter`, and INTERNAL if the thread died. */
  measure(folder: CampaignFolder, campaign: Campaign, cohort: Cohort): Promise<Measured[]>;
  close(): Promise<void>;
}

/** A worker thread knows nothing of the loader that this process reads TypeScript with. */
const BOOT = `
  const { register } = await import('tsx/esm/api');
  register();
  await import(${JSON.stringify(new URL('./judge-worker.ts', import.meta.url).href)});
`;

/** Measures in a thread of its own, which is there from the first cohort on. */
export function createJudge(): Judge {
  let worker: Worker | undefined;
  let requests = 0;
  const waiting = new Map<number, PromiseWithResolvers<Measured[]>>();

  function start(): Worker {
    const started = new Worker(BOOT, { eval: true });
    started.on('message', (response: JudgeResponse) => {
      const asked = waiting.get(response.id);
      waiting.delete(response.id);
      if ('measured' in response) asked?.resolve(response.measured);
      else asked?.reject(new Error(response.cause, { cause: AiloError.fromWire(response.error) }));
    });
    const died = (error: unknown) => {
      worker = undefined;
      for (const { reject } of waiting.values()) reject(error);
      waiting.clear();
    };
    started.on('error', died);
    started.on('exit', (code) => died(new Error(`the thread that judges updates ended with ${code}`)));
    return started;
  }

  return {
    measure(folder, campaign, cohort) {
      worker ??= start();
      const id = requests++;
      const asked = withResolvers<Measured[]>();
      waiting.set(id, asked);
      worker.postMessage({ id, folder: folder.path, campaign, cohort } satisfies JudgeRequest);
      return asked.promise;
    },
    async close() {
      await worker?.terminate();
    },
  };
}

interface PromiseWithResolvers<T> {
  promise: Promise<T>;
  resolve(value: T): void;
  reject(error: unknown): void;
}

/** Promise.withResolvers is younger than the Node.js that is supported. */
function withResolvers<T>(): PromiseWithResolvers<T> {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}
