import type { WireDtype } from '../tensor/payload.ts';
import type { Quant } from './types.ts';

/**
 * How hidden states travel in a room that was not told otherwise: an f32 room's answers are bit for bit those of one
 * machine.
 */
export function wireOf(quant: Quant): WireDtype {
  return quant === 'f32' ? 'f32' : 'f16';
}
