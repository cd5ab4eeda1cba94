/** The coordinator's public ledger over HTTP. Nothing that comes from here is believed: only its form is checked. */
import { bytesToHex, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import * as v from 'valibot';
import { AiloError } from '../errors/index.ts';
import type { Seal } from '../ledger/checkpoint.ts';
import { decodeGenesis } from '../ledger/genesis.ts';
import { MAX_TILE_BYTES, TILE_ENTRIES } from '../ledger/limits.ts';
import { type Network, networkOf } from '../ledger/network.ts';
import type { TileSpan } from '../ledger/tile.ts';
import { stallGuard } from '../model/stall.ts';
import { CheckpointResponse, ConsistencyResponse, NetworkResponse, paths } from '../protocol/http.ts';
import { readBody } from './body.ts';
import { MAX_JSON_BYTES, MAX_PROOF_HASHES } from './limits.ts';

/** Each throws LEDGER_UNREACHABLE for whatever keeps it from an answer of the right form, and CANCELLED. */
export interface LedgerSource {
  /** Throws LEDGER_OTHER_NETWORK for a genesis that is not that of the id it comes with. */
  network(signal?: AbortSignal): Promise<Network>;
  checkpoint(signal?: AbortSignal): Promise<Seal>;
  /** The tile's bytes, not looked into. */
  tile(span: TileSpan, signal?: AbortSignal): Promise<Uint8Array>;
  /** Hashes of an RFC 6962 consistency proof. */
  consistency(from: number, to: number, signal?: AbortSignal): Promise<Uint8Array[]>;
}

export interface SourceOptions {
  /** Of the coordinator. */
  url: string;
  fetch: typeof fetch;
}

export function httpLedgerSource({ url, fetch }: SourceOptions): LedgerSource {
  const get = async (path: string, limitBytes: number, signal: AbortSignal | undefined): Promise<Uint8Array> => {
    const guard = stallGuard(signal);
    try {
      const response = await fetch(new URL(path, url).href, { signal: guard.signal });
      guard.progress();
      if (response.status !== 200) throw unreachable(`the coordinator answered with status ${response.status}`);
      const bytes = await readBody(response, limitBytes, guard.progress);
      if (bytes) return bytes;
      await response.body?.cancel().catch(() => undefined);
      throw unreachable(`the coordinator's answer is longer than ${limitBytes} bytes`);
    } catch (error) {
      if (error instanceof AiloError) throw error;
      if (signal?.aborted) throw AiloError.of('CANCELLED', {}, error);
      throw unreachable(guard.signal.aborted ? 'the coordinator does not answer' : reasonOf(error), error);
    } finally {
      guard.done();
    }
  };
  const json = async <S extends v.GenericSchema>(
    schema: S,
    path: string,
    signal: AbortSignal | undefined,
  ): Promise<v.InferOutput<S>> => {
    const bytes = await get(path, MAX_JSON_BYTES, signal);
    try {
      return v.parse(schema, JSON.parse(new TextDecoder().decode(bytes)));
    } catch (error) {
      throw unreachable('the coordinator’s answer was not understood', error);
    }
  };
  return {
    async network(signal) {
      const { networkId, genesis } = await json(NetworkResponse, paths.network, signal);
      const network = networkOf(decodeGenesis(utf8ToBytes(JSON.stringify(genesis))));
      if (bytesToHex(network.id) !== networkId) throw AiloError.of('LEDGER_OTHER_NETWORK', {});
      return network;
    },
    async checkpoint(signal) {
      const { bytes, signature } = await json(CheckpointResponse, paths.checkpoint, signal);
      return { bytes: hexToBytes(bytes), signature: hexToBytes(signature) };
    },
    tile({ index, width }, signal) {
      const path = width === TILE_ENTRIES ? paths.tile(index) : paths.partialTile(index, width);
      return get(path, MAX_TILE_BYTES, signal);
    },
    async consistency(from, to, signal) {
      const { proof } = await json(ConsistencyResponse, `${paths.consistency}?from=${from}&to=${to}`, signal);
      if (proof.length > MAX_PROOF_HASHES) throw unreachable('the coordinator’s proof is too long');
      return proof.map(hexToBytes);
    },
  };
}

function unreachable(reason: string, cause?: unknown): AiloError {
  return AiloError.of('LEDGER_UNREACHABLE', { reason }, cause);
}

/** fetch says only “fetch failed”; why is in its cause. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  return (cause instanceof Error && cause.message !== '' ? cause.message : message).replace(/\.$/, '');
}
