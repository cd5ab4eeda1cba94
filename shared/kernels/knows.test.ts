import { expect, test } from 'vitest';
import { buildStage } from '../graph/stage.ts';
import { QUANTS } from '../graph/types.ts';
import { divided, units } from '../graph/units.ts';
import { CATALOGUE } from '../model/catalogue.ts';
import { compileStage } from './compile.ts';
import { kernelsKnow } from './knows.ts';

const PARTS = 2;

test.each(CATALOGUE)('the kernels compile what they are said to know of $id', ({ config }) => {
  const end = units(config).length;
  const undivided = [
    { start: 0, end: 3 },
    { start: 1, end: 4 },
    { start: end - 2, end },
  ];
  const ranges = config.experts
    ? undivided
    : [...undivided, { ...divided({ start: 2, end: 3 }, PARTS), mlpParts: PARTS }];
  for (const quant of QUANTS) {
    for (const range of ranges) {
      const { recorded, contextLength } = buildStage(config, range, { quant, contextLength: 512 });
      expect(compileStage(recorded, contextLength) !== undefined).toBe(kernelsKnow(config, quant));
    }
  }
});
