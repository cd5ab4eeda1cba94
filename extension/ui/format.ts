/** Figures and names as a person reads them. */
import { formatAlc } from '../../shared/ledger/money.ts';

/** “50000” µALC → “0.05 ALC”. */
export function alc(microAlc: string): string {
  return `${formatAlc(BigInt(microAlc))} ALC`;
}

/** Long enough to tell two nodes apart: “alc1qx7r…9f2k”. */
export function shortAddress(address: string): string {
  return address.length <= 16 ? address : `${address.slice(0, 9)}…${address.slice(-4)}`;
}

/** “12.3 MB”, decimal as storage is sold. */
export function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(bytes < 1e8 ? 1 : 0)} MB`;
}

export function count(n: number, one: string, many = `${one}s`): string {
  return `${n.toLocaleString('en')} ${n === 1 ? one : many}`;
}

/** Today as a time, this year as a day with time, older with its year. */
export function when(timeMs: number, nowMs: number): string {
  const time = new Date(timeMs);
  const now = new Date(nowMs);
  const clock = time.toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit' });
  if (time.toDateString() === now.toDateString()) return clock;
  const isThisYear = time.getFullYear() === now.getFullYear();
  const day = time.toLocaleDateString(undefined, {
    day: 'numeric',
    month: 'short',
    ...(isThisYear ? {} : { year: 'numeric' }),
  });
  return isThisYear ? `${day}, ${clock}` : day;
}
