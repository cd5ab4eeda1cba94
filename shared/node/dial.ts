/** One socket to the coordinator. Reconnecting is the session's business, so each attempt is a socket of its own. */
import { io } from 'socket.io-client';
import { AUTHENTICATE_TIMEOUT_MS } from '../protocol/limits.ts';

/** What the session needs of a Socket.IO client socket. */
export interface NodeSocket {
  // biome-ignore lint/suspicious/noExplicitAny: Socket.IO's own signature; every argument is parsed by schema
  on(event: string, listener: (...args: any[]) => void): unknown;
  emit(event: string, ...args: unknown[]): unknown;
  disconnect(): unknown;
}

export type Dial = (url: string) => NodeSocket;

export const dialWebSocket: Dial = (url) =>
  io(url, { transports: ['websocket'], reconnection: false, forceNew: true, timeout: AUTHENTICATE_TIMEOUT_MS });
