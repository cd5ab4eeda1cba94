import { expect, it } from 'vitest';
import { modeSentence } from './campaign-mode.ts';

it('names the mode, and promises what the campaign promises', () => {
  expect(modeSentence({ mode: 'public' })).toContain('Public texts');
  expect(modeSentence({ mode: 'local', groups: { threshold: 3 } })).toBe(
    'Texts of your own, which stay here: only sums of 3 or more are seen, without noise.',
  );
  expect(modeSentence({ mode: 'local', groups: { threshold: 6, noise: { epsilon: 2.734, delta: 1e-6 } } })).toContain(
    'with noise (ε 2.7 at δ 0.000001)',
  );
});
