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

/** “1.2 kB”, “12.3 MB”, “4.7 GB”. */
export function size(bytes: number): string {
  if (bytes < 1e5) return `${(bytes / 1e3).toFixed(1)} kB`;
  return bytes < 1e9 ? megabytes(bytes) : `${(bytes / 1e9).toFixed(bytes < 1e11 ? 1 : 0)} GB`;
}

export function count(n: number, one: string, many = `${one}s`): string {
  return `${n.toLocaleString('en')} ${n === 1 ? one : many}`;
}

/** Today as a time, this year as a day with time, older with its year. */
export function when(timeMs: number, nowMs: number): string {
  const time = new Date(timeMs);
  const now = new Date(nowMs);
  if (time.toDateString() === now.toDateString()) return clock(timeMs);
  const isThisYear = time.getFullYear() === now.getFullYear();
  const date = time.toLocaleDateString(undefined, {
    day: 'numeric',
    month: 'short',
    ...(isThisYear ? {} : { year: 'numeric' }),
  });
  return isThisYear ? `${date}, ${clock(timeMs)}` : date;
}

/** “just now”, “12 s ago”, “5 min ago”, “3 h ago”, “2 days ago”. */
export function ago(ms: number): string {
  const s = Math.floor(ms / 1000);
  if (s < 2) return 'just now';
  if (s < 60) return `${s} s ago`;
  if (s < 3600) return `${Math.floor(s / 60)} min ago`;
  if (s < 86_400) return `${Math.floor(s / 3600)} h ago`;
  return `${count(Math.floor(s / 86_400), 'day')} ago`;
}

/** “Today”, “Yesterday”, “Monday, 23 November”, older with its year. */
export function day(timeMs: number, nowMs: number): string {
  const time = new Date(timeMs);
  const now = new Date(nowMs);
  const yesterday = new Date(now.getFullYear(), now.getMonth(), now.getDate() - 1);
  if (time.toDateString() === now.toDateString()) return 'Today';
  if (time.toDateString() === yesterday.toDateString()) return 'Yesterday';
  const isThisYear = time.getFullYear() === now.getFullYear();
  return time.toLocaleDateString(undefined, {
    day: 'numeric',
    month: 'long',
    ...(isThisYear ? { weekday: 'long' } : { year: 'numeric' }),
  });
}

/** “14:03”. */
export function clock(timeMs: number): string {
  return new Date(timeMs).toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit' });
}

/** Four characters at a time, so that two people can compare them. */
export function groupsOf(address: string): string[] {
  return address.match(/.{1,4}/g) ?? [];
}
