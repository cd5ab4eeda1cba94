/** A web server on the loopback for tests of what downloads models. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface TestServer {
  url: string;
  requests: { url: string; range: string | undefined; authorization: string | undefined }[];
  close(): Promise<void>;
}

export async function testServer(
  handle: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<TestServer> {
  const requests: TestServer['requests'] = [];
  const server: Server = createServer((request, response) => {
    const { range, authorization } = request.headers;
    requests.push({ url: request.url!, range, authorization });
    handle(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Answers as a good web server does, ranges included (RFC 9110 §14). */
export function sendFile(request: IncomingMessage, response: ServerResponse, bytes: Uint8Array): void {
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
  if (range === null) {
    response.writeHead(200, { 'content-length': bytes.length }).end(bytes);
    return;
  }
  const start = Number(range[1]);
  if (start >= bytes.length) {
    response.writeHead(416, { 'content-range': `bytes */${bytes.length}` }).end();
    return;
  }
  const end = range[2] === '' ? bytes.length : Math.min(bytes.length, Number(range[2]) + 1);
  const headers = { 'content-length': end - start, 'content-range': `bytes ${start}-${end - 1}/${bytes.length}` };
  response.writeHead(206, headers).end(bytes.subarray(start, end));
}
