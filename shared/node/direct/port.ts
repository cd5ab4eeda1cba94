import type { FromPeer } from './peer-messages.ts';

/** The direct links as a job sees them. */
export interface DirectPort {
  isOpen(node: string): boolean;
  /** Whether the direct link is the better way now, and whether more may be sent over it. */
  state(node: string): { preferred: boolean; writable: boolean };
  /** Only while the link is open; what does not arrive is sent again when it closes. */
  send<T extends Exclude<keyof FromPeer, 'ping' | 'pong'>>(node: string, type: T, body: FromPeer[T]): void;
  /** Milliseconds of a steady clock. */
  now(): number;
}
