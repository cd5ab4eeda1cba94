import type { Quant } from './types.ts';

/** How hidden states travel in a room: an f32 room's answers are bit for bit those of one machine. */
export function wireOf(quant: Quant): 'f32' | 'f16' {
  return quant === 'f32' ? 'f32' : 'f16';
}
