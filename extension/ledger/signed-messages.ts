/** Signed messages in one buffer, to cross to a worker: for each the key, the signature, the length (4), the message. */
import { ByteReader, ByteWriter } from '../../shared/bytes/bytes.ts';
import { PUBLIC_KEY_BYTES, SIGNATURE_BYTES } from '../../shared/wallet/public-key.ts';
import type { SignedMessage } from '../../shared/wallet/verifier.ts';

/** RangeError for keys and signatures of another length than theirs. */
export function packMessages(items: readonly SignedMessage[]): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter();
  for (const { publicKey, signature, message } of items) {
    if (publicKey.length !== PUBLIC_KEY_BYTES || signature.length !== SIGNATURE_BYTES) {
      throw new RangeError('a key or a signature has another length than theirs');
    }
    writer.bytes(publicKey).bytes(signature).u32(message.length).bytes(message);
  }
  return writer.finish();
}

export function unpackMessages(bytes: Uint8Array): SignedMessage[] {
  const reader = new ByteReader(bytes, (reason) => new RangeError(reason));
  const items: SignedMessage[] = [];
  while (reader.remaining > 0) {
    const publicKey = reader.bytes(PUBLIC_KEY_BYTES);
    const signature = reader.bytes(SIGNATURE_BYTES);
    items.push({ publicKey, signature, message: reader.bytes(reader.u32()) });
  }
  return items;
}
