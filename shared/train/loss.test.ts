import { afterAll, describe, expect, test } from 'vitest';
import { createNodeEngine } from '../../server/runtime/node-engine.ts';
import { crossEntropy, IGNORED } from './loss.ts';
import { Tape } from './tape/tape.ts';

const engine = createNodeEngine({ threads: 1 });
afterAll(() => engine.close());

async function lossOf(logits: number[][], targets: number[]) {
  const [rows, columns] = [logits.length, logits[0]!.length];
  const g = new Tape();
  const { loss, gradient } = crossEntropy(g, g.input('logits', [rows, columns]), g.input('targets', [rows], 'int32'));
  g.output(loss, 'loss');
  g.output(gradient(), 'gradient');
  const graph = await engine.load(g.encode());
  const outputs = await graph.run({
    logits: { data: Float32Array.from(logits.flat()), shape: [rows, columns] },
    targets: { data: Int32Array.from(targets), shape: [rows] },
  });
  await graph.release();
  return { loss: outputs.loss![0]!, gradient: [...outputs.gradient!] };
}

/** In float64, as the textbook has it. */
function expectedLoss(logits: number[][], targets: number[]): number {
  const counted = targets.flatMap((target, row) => (target < 0 ? [] : [[logits[row]!, target] as const]));
  const losses = counted.map(([row, target]) => Math.log(row.reduce((s, x) => s + Math.exp(x), 0)) - row[target]!);
  return losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
}

const LOGITS = [
  [0.5, -1, 2],
  [3, 0, 0.25],
  [-2, 1, 1],
];

describe('cross-entropy', () => {
  test('is the mean over the targets that count', async () => {
    for (const targets of [
      [2, 1, 0],
      [0, IGNORED, 1],
      [-100, 2, -100],
    ]) {
      expect((await lossOf(LOGITS, targets)).loss).toBeCloseTo(expectedLoss(LOGITS, targets), 5);
    }
  });

  test('has the gradient of central differences, and none in rows that do not count', async () => {
    const targets = [2, IGNORED, 0];
    const { gradient } = await lossOf(LOGITS, targets);
    for (const [at, value] of gradient.entries()) {
      const moved = (by: number) =>
        expectedLoss(
          LOGITS.map((row, i) => row.map((x, j) => (3 * i + j === at ? x + by : x))),
          targets,
        );
      expect(value).toBeCloseTo((moved(1e-5) - moved(-1e-5)) / 2e-5, 5);
    }
    expect(gradient.slice(3, 6)).toEqual([0, 0, 0]);
  });

  test('survives logits that exp cannot take', async () => {
    const { loss, gradient } = await lossOf([[10_000, -10_000, 9_999]], [2]);
    expect(loss).toBeCloseTo(1 + Math.log(1 + Math.exp(-1)), 3);
    expect(gradient.every(Number.isFinite)).toBe(true);
  });

  test('of nothing is nothing', async () => {
    const { loss, gradient } = await lossOf(LOGITS, [IGNORED, IGNORED, IGNORED]);
    expect(loss).toBeCloseTo(0);
    expect(gradient.every((value) => Math.abs(value) === 0)).toBe(true);
  });
});
