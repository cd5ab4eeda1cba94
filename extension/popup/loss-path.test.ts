import { describe, expect, it } from 'vitest';
import { lossPath } from './loss-path.ts';

describe('lossPath', () => {
  it('goes from the top left, where the loss is largest, to the bottom right', () => {
    const losses = [
      { round: 4, loss: 3 },
      { round: 5, loss: 2 },
      { round: 8, loss: 1 },
    ];
    expect(lossPath(losses, 100, 44)).toBe('M0 2L25 22L100 42');
  });

  it('lies in the middle where nothing changes', () => {
    const losses = [
      { round: 0, loss: 3 },
      { round: 1, loss: 3 },
    ];
    expect(lossPath(losses, 100, 44)).toBe('M0 22L100 22');
  });
});
