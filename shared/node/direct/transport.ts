/**
 * What a host gives a node so that it can be linked directly with its neighbours; peers.ts says when. Nothing calls back
 * before what was called has returned.
 */

export type Description = 'offer' | 'answer';

export interface ConnectionOptions {
  /** Makes the offer; the other end answers. */
  initiates: boolean;
  /** STUN servers. */
  ice: readonly string[];
  /** For the other end, by way of the coordinator. */
  onDescription(kind: Description, sdp: string): void;
  onOpen(): void;
  /** In order, each once, for as long as the connection lives. */
  onMessage(data: Uint8Array): void;
  /** What waited to be sent has become little again. */
  onDrained(): void;
  /** It is over, or it never came about. Called once, and last. Not after `close`. */
  onClose(reason: string): void;
}

export interface DirectConnection {
  /** What the other end's `onDescription` said. */
  describe(kind: Description, sdp: string): void;
  /** Whether more may be sent now; `onDrained` tells when it may again. */
  readonly writable: boolean;
  /** At most MAX_PEER_MESSAGE_BYTES. Where it is not open any more, `onClose` follows. */
  send(data: Uint8Array<ArrayBuffer>): void;
  close(): void;
}

export interface DirectTransport {
  /** Begins a connection. Throws where none can be made; what fails later is an `onClose`. */
  connect(options: ConnectionOptions): DirectConnection;
}
