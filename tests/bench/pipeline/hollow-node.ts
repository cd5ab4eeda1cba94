/** A node whose stages compute nothing: what is left is the way between them. `hollow-node.ts URL DATA_DIR` */
import { join } from 'node:path';
import { folderChunkStore } from '../../../server/model/folder-chunks.ts';
import { openWalletFile } from '../../../server/node/wallet-file.ts';
import { dialWebSocket } from '../../../shared/node/dial.ts';
import { createNode } from '../../../shared/node/node.ts';
import { systemSchedule } from '../../../shared/protocol/schedule.ts';
import { rowsOf } from '../../../shared/runtime/step.ts';
import type { Runtime, StageOutput } from '../../../shared/runtime/types.ts';

const [url, dataDir] = process.argv.slice(2) as [string, string];

const hollow: Runtime = {
  engine: 'node',
  budgetBytes: 2 ** 40,
  load: async ({ lanes, gives, outWidth, vocabSize }) => {
    const width = gives === 'logits' ? vocabSize : outWidth;
    return {
      lanes,
      run: async (steps) =>
        steps.map(({ input, logits = 1 }): StageOutput => {
          const rows = gives === 'logits' ? logits : rowsOf(input);
          return { kind: gives, rows, data: new Float32Array(rows * width) };
        }),
      drop: async () => {},
      release: async () => {},
    };
  },
  measure: async () => ({ matmulGflops: 1 }),
  close: async () => {},
};

const node = createNode({
  url,
  wallet: await openWalletFile(join(dataDir, 'wallet.json')),
  client: { kind: 'headless', version: 'bench' },
  createRuntime: async () => hollow,
  chunks: folderChunkStore(join(dataDir, 'chunks')),
  fetch,
  dial: dialWebSocket,
  schedule: systemSchedule,
  afterArrivals: () => new Promise((resolve) => setImmediate(resolve)),
  now: () => performance.now(),
  random: Math.random,
  log: { debug() {}, info() {}, warn() {} },
});
node.start();
node.contribute(true);
process.once('SIGTERM', () => void node.stop().then(() => process.exit()));
