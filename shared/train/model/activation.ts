import type { ModelConfig } from '../../model/types.ts';
import { gelu, geluTanh, silu } from '../tape/elementwise.ts';

/** The model's activation, element by element. */
export const ACTIVATIONS: Record<ModelConfig['activation'], typeof silu> = { silu, gelu, gelu_tanh: geluTanh };
