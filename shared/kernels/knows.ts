import type { Quant } from '../graph/types.ts';
import type { ModelConfig } from '../model/types.ts';

/** Whether our kernels compute every stage of such a room, wherever a machine has them: those of int8, without experts. */
export function kernelsKnow({ experts }: Pick<ModelConfig, 'experts'>, quant: Quant): boolean {
  return quant === 'int8' && !experts;
}
