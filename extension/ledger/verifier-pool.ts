/**
 * Signatures checked beside the replay: Chromium's WebCrypto verifies on the thread that asks (60 µs each), so workers
 * of their own do it while the replay's thread applies what was checked before.
 */
import { AiloError } from '../../shared/errors/index.ts';
import { createVerifier, type SignedMessage, type Verifier } from '../../shared/wallet/verifier.ts';
import { type Connection, connect, type Handlers, type Port, type Reply } from '../compute/rpc.ts';
import { packMessages, unpackMessages } from './signed-messages.ts';

/** Fewer are checked here: it takes less than to start a worker. */
const MIN_POOLED = 64;
/** A replay's own thread is busy with some three of them. */
const MAX_WORKERS = 3;
/** Workers that were not needed for so long are ended. */
const IDLE_MS = 10_000;

export interface VerifyCalls extends Handlers {
  /** Of `packMessages`: a byte for each, 1 where it is good. */
  verify(messages: Uint8Array<ArrayBuffer>): Promise<Reply<Uint8Array>>;
}

export interface PoolWorker {
  port: Port;
  terminate(): void;
  /** Tells that it is broken. */
  onError(listener: (reason: string) => void): void;
}

interface Member {
  worker: PoolWorker;
  connection: Connection<VerifyCalls>;
  busy: number;
}

/** What `createVerifier` says, from up to `cores − 1` workers. */
export function createVerifierPool(start: () => PoolWorker, cores: number): Verifier & { close(): void } {
  const local = createVerifier();
  const size = Math.max(1, Math.min(MAX_WORKERS, cores - 1));
  const members: Member[] = [];
  let idle: ReturnType<typeof setTimeout> | undefined;

  const close = (): void => {
    clearTimeout(idle);
    for (const { worker, connection } of members.splice(0)) {
      worker.terminate();
      connection.fail(AiloError.of('CANCELLED', {}));
    }
  };
  const join = (): Member => {
    const worker = start();
    const member: Member = { worker, connection: connect<VerifyCalls>(worker.port, {}), busy: 0 };
    worker.onError((reason) => {
      const at = members.indexOf(member);
      if (at !== -1) members.splice(at, 1);
      worker.terminate();
      member.connection.fail(AiloError.of('INTERNAL', {}, reason));
    });
    members.push(member);
    return member;
  };
  /** The one with the least to do; a new one while there may be more and all are busy. */
  const choose = (): Member => {
    const free = members.reduce<Member | undefined>((a, b) => (a && a.busy <= b.busy ? a : b), undefined);
    return free && (free.busy === 0 || members.length >= size) ? free : join();
  };
  const verifyAll = async (items: readonly SignedMessage[]): Promise<boolean[]> => {
    if (items.length < MIN_POOLED) return local.verifyAll(items);
    clearTimeout(idle);
    const member = choose();
    member.busy++;
    try {
      const packed = packMessages(items);
      const verdicts = await member.connection.call('verify', packed, [packed.buffer]);
      return [...verdicts].map((verdict) => verdict === 1);
    } catch {
      // A worker that is gone has no verdict; this thread has.
      return local.verifyAll(items);
    } finally {
      member.busy--;
      if (members.every(({ busy }) => busy === 0)) idle = setTimeout(close, IDLE_MS);
    }
  };
  return { verifyOne: (item) => local.verifyOne(item), verifyAll, close };
}

/** The worker's side. */
export function serveVerifier(port: Port, verifier: Verifier = createVerifier()): void {
  connect(port, {
    async verify(messages) {
      const verdicts = Uint8Array.from(await verifier.verifyAll(unpackMessages(messages)), Number);
      return { value: verdicts, transfer: [verdicts.buffer] };
    },
  } satisfies VerifyCalls);
}
