/** Passes connections on to a server, and keeps every byte that clients send, WebSocket frames without their mask. */

import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server, type Socket } from 'node:net';

export interface RecordingProxy {
  url: string;
  /** What every connection sent, as Latin-1: HTTP as it is, then the payloads of its frames. */
  sent(): string[];
  close(): Promise<void>;
}

export async function startRecordingProxy(target: string): Promise<RecordingProxy> {
  const port = Number(new URL(target).port);
  const recordings: Buffer[][] = [];
  const sockets = new Set<Socket>();
  const server: Server = createServer((client) => {
    const recording: Buffer[] = [];
    recordings.push(recording);
    const upstream = connect(port, '127.0.0.1');
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
      // What is cut off is closed, too.
      socket.on('error', () => undefined);
    }
    client.on('data', (bytes: Buffer) => void recording.push(bytes));
    client.pipe(upstream);
    upstream.pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    sent: () => recordings.map((recording) => readable(Buffer.concat(recording))),
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const HEAD_END = '\r\n\r\n';

function readable(bytes: Buffer): string {
  const headLength = bytes.indexOf(HEAD_END) + HEAD_END.length;
  const head = bytes.subarray(0, headLength).toString('latin1');
  if (!/^upgrade: websocket\r$/im.test(head)) return bytes.toString('latin1');
  return head + payloadsOf(bytes.subarray(headLength));
}

/** RFC 6455 §5.2; nothing of ours is compressed. */
function payloadsOf(bytes: Buffer): string {
  let text = '';
  for (let at = 0; at + 6 <= bytes.length; ) {
    const short = bytes[at + 1]! & 0x7f;
    const extended = short === 126 ? 2 : short === 127 ? 8 : 0;
    const length =
      short === 126 ? bytes.readUInt16BE(at + 2) : short === 127 ? Number(bytes.readBigUInt64BE(at + 2)) : short;
    const mask = bytes.subarray(at + 2 + extended, at + 6 + extended);
    const payload = Buffer.from(bytes.subarray(at + 6 + extended, at + 6 + extended + length));
    for (let i = 0; i < payload.length; i++) payload[i]! ^= mask[i % 4]!;
    text += payload.toString('latin1');
    at += 6 + extended + length;
  }
  return text;
}
