/**
 * What neighbours say to each other directly: a closed set like the coordinator's, parsed by schema. A message is u16 length
 * of a JSON object with `type` and the body's other fields, the object, then the frame's bytes if it has one.
 */
import * as v from 'valibot';
import { ByteReader, ByteWriter } from '../../bytes/bytes.ts';
import { AiloError } from '../../errors/index.ts';
import { MAX_FRAME_BYTES, MAX_PEER_MESSAGE_BYTES } from '../../protocol/limits.ts';
import { bytes, fromCoordinator, fromNode } from '../../protocol/messages.ts';
import { type MessageOf, parseMessage } from '../../protocol/parse.ts';

const { job, epoch, rows } = fromNode.jobRows.entries;
const { more, data } = fromCoordinator.frame.entries;
const hash = fromCoordinator.assign.entries.manifestHash;
const n = v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(2 ** 31));

export const fromPeer = {
  /** Rows for the next stage: the same bytes as over the relay. */
  frame: v.strictObject({ job, epoch, more, data }),
  /** To the predecessor: so many rows have arrived, and the next may come this way. */
  has: v.strictObject({ job, epoch, rows }),
  /** “Send me the chunk with this SHA-256.” `id` is the asker's, for what comes of it. */
  ask: v.strictObject({ id: n, hash }),
  /** Bytes of it from `at` on, in order. */
  part: v.strictObject({ id: n, at: n, data: bytes(1, MAX_FRAME_BYTES) }),
  /** It is not here, or too much is asked for. */
  none: v.strictObject({ id: n }),
  ping: v.strictObject({ n }),
  pong: v.strictObject({ n }),
};
export type FromPeer = { [T in keyof typeof fromPeer]: v.InferOutput<(typeof fromPeer)[T]> };
export type PeerMessage = MessageOf<FromPeer>;

/** Everything but the frame. */
const MAX_HEAD_BYTES = MAX_PEER_MESSAGE_BYTES - MAX_FRAME_BYTES - 2;

export function encodePeerMessage<T extends keyof FromPeer>(type: T, body: FromPeer[T]): Uint8Array<ArrayBuffer> {
  const { data = new Uint8Array(0), ...rest } = body as { data?: Uint8Array };
  const head = new TextEncoder().encode(JSON.stringify({ type, ...rest }));
  return new ByteWriter().u16(head.length).bytes(head).bytes(data).finish();
}

/** Throws MESSAGE_INVALID. */
export function decodePeerMessage(bytes: Uint8Array): PeerMessage {
  if (bytes.length > MAX_PEER_MESSAGE_BYTES) throw invalid(`it has ${bytes.length} bytes`);
  const reader = new ByteReader(bytes, invalid);
  const length = reader.u16();
  if (length > MAX_HEAD_BYTES) throw invalid(`its head has ${length} bytes`);
  const { type, ...head } = readHead(reader.bytes(length));
  const data = bytes.subarray(2 + length);
  return parseMessage<FromPeer>(fromPeer, String(type), data.length > 0 ? { ...head, data } : head);
}

function readHead(bytes: Uint8Array): Record<string, unknown> {
  try {
    const head: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    if (typeof head === 'object' && head !== null) return { ...head };
  } catch {
    // Told below.
  }
  throw invalid('its head is not an object in JSON');
}

function invalid(reason: string): AiloError {
  return AiloError.of('MESSAGE_INVALID', { type: 'peer', reason });
}
