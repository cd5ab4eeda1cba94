import { expect, test } from 'vitest';
import { seededRandom } from '../sampler/random.ts';
import { inPassing } from './surface.ts';

function forms(wording: string, count = 400): string[] {
  const random = seededRandom(3);
  return Array.from({ length: count }, () => inPassing(wording, random));
}

test('a question is typed in many ways, mostly as it is', () => {
  const typed = forms('how do I stop');
  for (const form of ['how do i stop', 'how do i stop?', 'How do I stop', 'How do I stop?'])
    expect(typed).toContain(form);
  expect(typed.filter((form) => form.toLowerCase().includes('how do i stop')).length).toBeGreaterThan(330);
  expect(typed.some((form) => form.toLowerCase().startsWith('hello, '))).toBe(true);
});

test('what asks nothing gets no question mark and no greeting', () => {
  for (const form of forms('backup')) expect(form).toMatch(/^\p{L}+$/u);
});

test('a slip changes at most one letter more or less', () => {
  for (const form of forms('stop')) expect(Math.abs(form.length - 4)).toBeLessThanOrEqual(1);
});
