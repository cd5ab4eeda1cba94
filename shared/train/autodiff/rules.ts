/** The gradient of every operator a training graph may have. */
import { elementwiseRules } from './elementwise.ts';
import { indexingRules } from './indexing.ts';
import { matrixRules } from './matrix.ts';
import { normaliseRules } from './normalise.ts';
import type { Rule } from './rule.ts';
import { shapeRules } from './shape.ts';

export const RULES: Readonly<Record<string, Rule>> = {
  ...elementwiseRules,
  ...matrixRules,
  ...shapeRules,
  ...indexingRules,
  ...normaliseRules,
};
