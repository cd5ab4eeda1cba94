/** Money is a whole number of µALC, always `bigint`: 1 ALC = 1,000,000 µALC. */
import { AiloError } from '../errors/index.ts';
import { MAX_MICRO_ALC } from './limits.ts';

export const MICRO_ALC_PER_ALC = 1_000_000n;
const DECIMALS = 6;

/** “0.05” → 50_000n. Takes digits with at most six decimals and nothing else. Throws AMOUNT_INVALID. */
export function parseAlc(text: string): bigint {
  const match = /^([0-9]{1,19})(?:\.([0-9]{1,6}))?$/.exec(text);
  if (!match) {
    throw AiloError.of('AMOUNT_INVALID', { reason: 'write it in digits, like 12.5, with at most six after the point' });
  }
  const microAlc = BigInt(match[1]!) * MICRO_ALC_PER_ALC + BigInt((match[2] ?? '').padEnd(DECIMALS, '0'));
  return checkMicroAlc(microAlc);
}

/** 50_000n → “0.05”: no trailing zeros, no separators; a negative balance keeps its sign. */
export function formatAlc(microAlc: bigint): string {
  const magnitude = microAlc < 0n ? -microAlc : microAlc;
  const decimals = (magnitude % MICRO_ALC_PER_ALC).toString().padStart(DECIMALS, '0').replace(/0+$/, '');
  return `${microAlc < 0n ? '-' : ''}${magnitude / MICRO_ALC_PER_ALC}${decimals && `.${decimals}`}`;
}

/** The amount, if it is one that can exist. Throws AMOUNT_INVALID. */
export function checkMicroAlc(microAlc: bigint): bigint {
  if (microAlc < 0n) throw AiloError.of('AMOUNT_INVALID', { reason: 'it is negative' });
  if (microAlc > MAX_MICRO_ALC) throw AiloError.of('AMOUNT_INVALID', { reason: 'it is more than can ever exist' });
  return microAlc;
}
