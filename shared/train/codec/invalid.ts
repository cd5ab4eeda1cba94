import { AiloError } from '../../errors/index.ts';

export function invalid(reason: string): AiloError {
  return AiloError.of('UPDATE_INVALID', { reason });
}
