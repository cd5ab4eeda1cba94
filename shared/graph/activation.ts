import type { ModelConfig } from '../model/types.ts';
import type { GraphBuilder, Value } from './builder.ts';

/** The model's activation, element by element. */
export function activate(g: GraphBuilder, { activation }: ModelConfig, x: Value): Value {
  switch (activation) {
    case 'silu':
      return g.silu(x);
    case 'gelu':
      return g.gelu(x);
    case 'gelu_tanh':
      return g.geluTanh(x);
  }
}
