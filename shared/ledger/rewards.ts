/** What work is worth: pure functions of the genesis file and of public receipts. */
import { bytesToHex } from '@noble/hashes/utils.js';
import { AiloError } from '../errors/index.ts';
import type { Genesis } from './genesis.ts';
import type { InferenceReceipt } from './receipt.ts';
import type { TrainingReceipt } from './training-receipt.ts';

/** 1 in millionths: the unit of issuance rates. */
export const FULL_RATE_PPM = 1_000_000;
const HOUR_MS = 3_600_000;

/** What an inference pays to each participating wallet at the epoch's rate: base plus latency bonus, rounded down. */
export function inferenceReward(genesis: Genesis, latencyMs: number, ratePpm: number): bigint {
  const { rewardMicroAlc } = genesis.inference;
  return atRate(BigInt(rewardMicroAlc) + latencyBonus(genesis.inference, latencyMs), ratePpm);
}

/**
 * What a validated update pays at the epoch's rate: BaseRate × BatchSize × (1 + LossBonus), plus the latency bonus, each
 * rounded down. The loss bonus falls evenly from the round's best to its last; who is alone was compared with nobody.
 */
export function trainingReward(
  genesis: Genesis,
  { sequences, rank, ranked, latencyMs }: Pick<TrainingReceipt, 'sequences' | 'rank' | 'ranked' | 'latencyMs'>,
  ratePpm: number,
): bigint {
  const { rewardMicroAlc, lossBonusPermille } = genesis.training;
  const base = BigInt(rewardMicroAlc) * BigInt(sequences);
  const lossBonus =
    ranked === 1 ? 0n : (base * BigInt(lossBonusPermille * (ranked - rank))) / BigInt(1000 * (ranked - 1));
  return atRate(base + lossBonus + latencyBonus(genesis.training, latencyMs), ratePpm);
}

function latencyBonus(
  { latencyBonusMicroAlc, latencyBonusUntilMs }: { latencyBonusMicroAlc: string; latencyBonusUntilMs: number },
  latencyMs: number,
): bigint {
  const fasterByMs = Math.max(0, latencyBonusUntilMs - latencyMs);
  return (BigInt(latencyBonusMicroAlc) * BigInt(fasterByMs)) / BigInt(latencyBonusUntilMs);
}

/** A multiple of a full reward. */
function atRate(microAlc: bigint, ratePpm: number): bigint {
  return (microAlc * BigInt(ratePpm)) / BigInt(FULL_RATE_PPM);
}

/**
 * The public keys that an inference pays, each once, in the order of the stages; never the requester's.
 * Throws RECEIPT_NOBODY_TO_PAY.
 */
export function paidWallets({ participants, requester }: InferenceReceipt): Uint8Array[] {
  const paid = new Map(participants.map(({ publicKey }) => [bytesToHex(publicKey), publicKey]));
  paid.delete(bytesToHex(requester));
  if (paid.size === 0) throw AiloError.of('RECEIPT_NOBODY_TO_PAY', {});
  return [...paid.values()];
}

/** Throws RECEIPT_TOO_SHORT for an answer that was cut off before it was worth something. */
export function checkLength(genesis: Genesis, { tokens, finish }: InferenceReceipt): void {
  const { minTokens } = genesis.inference;
  if (finish !== 'stop' && tokens < minTokens) throw AiloError.of('RECEIPT_TOO_SHORT', { tokens, minTokens });
}

export interface Quota {
  quotaHour: number;
  quotaUsed: number;
}

/** The requester's quota after one more paid inference at `timeMs`. Throws RECEIPT_OVER_QUOTA. */
export function useQuota(genesis: Genesis, { quotaHour, quotaUsed }: Quota, timeMs: number): Quota {
  const { paidPerHour } = genesis.inference;
  const hour = Math.floor(timeMs / HOUR_MS);
  const used = (hour === quotaHour ? quotaUsed : 0) + 1;
  if (used > paidPerHour) throw AiloError.of('RECEIPT_OVER_QUOTA', { paidPerHour });
  return { quotaHour: hour, quotaUsed: used };
}

/**
 * The issuance regulator: an epoch's rewards are the base rates times clamp(target / minted, minimum, 1), with the
 * target a figure per wallet that earned, both of the epoch before. In millionths, rounded down.
 */
export function issuanceRatePpm(genesis: Genesis, before: { mintedMicroAlc: bigint; earners: number }): number {
  const { targetMicroAlc, minRatePermille } = genesis.issuance;
  const target = BigInt(targetMicroAlc) * BigInt(before.earners);
  if (target >= before.mintedMicroAlc) return FULL_RATE_PPM;
  const rate = Number((target * BigInt(FULL_RATE_PPM)) / before.mintedMicroAlc);
  return Math.max(rate, minRatePermille * 1000);
}

export function epochAt(genesis: Genesis, timeMs: number): number {
  return Math.floor((timeMs - genesis.timeMs) / genesis.issuance.epochMs);
}
