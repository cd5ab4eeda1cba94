/**
 * The genesis file: what a network is. Its bytes are canonical JSON (the fields in this schema's order, no white space,
 * whole numbers, amounts as decimal strings of µALC), and the network's id is their SHA-256.
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import * as v from 'valibot';
import { AiloError } from '../errors/index.ts';
import { checkPublicKey } from '../wallet/public-key.ts';
import { MAX_GENESIS_BYTES, MAX_MICRO_ALC, NETWORK_NAME } from './limits.ts';

const whole = (min: number, max: number) => v.pipe(v.number(), v.safeInteger(), v.minValue(min), v.maxValue(max));
const amount = v.pipe(
  v.string(),
  // One check, since valibot would go on to the next after a failed one.
  v.check((text) => /^(0|[1-9][0-9]{0,18})$/.test(text) && BigInt(text) <= MAX_MICRO_ALC, 'not an amount of µALC'),
);
const durationMs = whole(1, Number.MAX_SAFE_INTEGER);
const permille = whole(0, 1000);

export const GenesisSchema = v.strictObject({
  format: v.literal('ailo/genesis/v1'),
  name: v.pipe(v.string(), v.regex(NETWORK_NAME)),
  /** Epochs count from here; nothing in the log is older. Unix time. */
  timeMs: whole(0, Number.MAX_SAFE_INTEGER),
  /** Ed25519, hex. Signs rewards, reversals and checkpoints; is nobody's wallet. */
  publicKey: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
  transfer: v.strictObject({
    feeMicroAlc: amount,
    /** Of the fee; the rest goes to the treasury. */
    feeBurnedPermille: permille,
    /** Verifications that make a transfer CONFIRMED. */
    confirmations: whole(1, 1000),
    /** Share of the active nodes whose reports make it DISPUTED. */
    reportPermille: whole(1, 1000),
    /** How long after its place in the log it can be reported; then it is final. */
    reportWindowMs: durationMs,
    /** How long its funds are frozen before the reversal. */
    reversalDelayMs: whole(0, Number.MAX_SAFE_INTEGER),
    /** How far a transfer's time may lie after that of its place in the log. */
    clockToleranceMs: durationMs,
  }),
  /** A node is active that was heard of so recently and earned so recently; the latter alone makes it eligible. */
  activity: v.strictObject({ heartbeatMs: durationMs, verifiedWorkMs: durationMs }),
  inference: v.strictObject({
    /** To every participating wallet. */
    rewardMicroAlc: amount,
    /** On top at 0 ms, falling linearly … */
    latencyBonusMicroAlc: amount,
    /** … to nothing from here on. */
    latencyBonusUntilMs: durationMs,
    /** An answer cut off below this mints nothing. */
    minTokens: whole(0, 1_000_000),
    /** Inferences per requester and clock hour (UTC) that mint. */
    paidPerHour: whole(0, 1_000_000),
  }),
  training: v.strictObject({
    /** Per sequence of the assigned batch. */
    rewardMicroAlc: amount,
    /** A receipt for more sequences is none. */
    maxSequences: whole(1, 65_535),
    /** The loss bonus of the round's best; the last gets none. */
    lossBonusPermille: whole(0, 10_000),
    /** On top at 0 ms, falling linearly … */
    latencyBonusMicroAlc: amount,
    /** … to nothing from here on. */
    latencyBonusUntilMs: durationMs,
  }),
  issuance: v.strictObject({
    epochMs: durationMs,
    /** Per wallet that earned in the epoch before. */
    targetMicroAlc: amount,
    minRatePermille: permille,
  }),
});
export type Genesis = v.InferOutput<typeof GenesisSchema>;

/** The parameters of a new network. */
export function defaultGenesis(publicKey: Uint8Array, name: string, timeMs: number): Genesis {
  return {
    format: 'ailo/genesis/v1',
    name,
    timeMs,
    publicKey: bytesToHex(publicKey),
    transfer: {
      feeMicroAlc: '10000',
      feeBurnedPermille: 500,
      confirmations: 10,
      reportPermille: 510,
      reportWindowMs: 7 * 86_400_000,
      reversalDelayMs: 10_000,
      clockToleranceMs: 120_000,
    },
    activity: { heartbeatMs: 5 * 60_000, verifiedWorkMs: 7 * 86_400_000 },
    inference: {
      rewardMicroAlc: '50000',
      latencyBonusMicroAlc: '50000',
      latencyBonusUntilMs: 5000,
      minTokens: 16,
      paidPerHour: 60,
    },
    // A standard unit of 8 sequences pays 0.1 ALC before its bonus.
    training: {
      rewardMicroAlc: '12500',
      maxSequences: 64,
      lossBonusPermille: 1000,
      latencyBonusMicroAlc: '50000',
      latencyBonusUntilMs: 600_000,
    },
    // 10 ALC a day: a wallet that works through some 150 answers a day earns at the full rate.
    issuance: { epochMs: 86_400_000, targetMicroAlc: '10000000', minRatePermille: 500 },
  };
}

/** The canonical bytes. Throws GENESIS_INVALID. */
export function encodeGenesis(genesis: Genesis): Uint8Array {
  return utf8ToBytes(JSON.stringify(parse(genesis)));
}

/** Reads a genesis file. Throws GENESIS_INVALID, also for bytes that mean the right thing in another spelling. */
export function decodeGenesis(bytes: Uint8Array): Genesis {
  if (bytes.length > MAX_GENESIS_BYTES) throw invalid(`it has more than ${MAX_GENESIS_BYTES} bytes`);
  let json: unknown;
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    json = JSON.parse(text);
  } catch {
    throw invalid('it is not JSON');
  }
  const genesis = parse(json);
  if (JSON.stringify(genesis) !== text) throw invalid('it is not in its canonical spelling');
  return genesis;
}

/** SHA-256 of the genesis bytes: the 32 bytes that everything signed on this network contains. */
export function networkIdOf(genesisBytes: Uint8Array): Uint8Array {
  return sha256(genesisBytes);
}

function parse(value: unknown): Genesis {
  // valibot builds its output in the schema's order, whatever the input's was.
  const result = v.safeParse(GenesisSchema, value);
  if (!result.success) {
    const { issues } = result;
    throw invalid(`${v.getDotPath(issues[0]) ?? 'it'}: ${issues[0].message}`);
  }
  try {
    checkPublicKey(hexToBytes(result.output.publicKey));
  } catch (error) {
    throw AiloError.of('GENESIS_INVALID', { reason: 'its public key cannot be used' }, error);
  }
  return result.output;
}

function invalid(reason: string): AiloError {
  return AiloError.of('GENESIS_INVALID', { reason });
}
