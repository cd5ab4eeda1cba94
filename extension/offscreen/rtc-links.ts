/** Direct links over WebRTC: one ordered, reliable data channel for each connection, as thin as it can be. */
import type { ConnectionOptions, DirectTransport } from '../../shared/node/direct/transport.ts';
import { MAX_PEER_MESSAGE_BYTES } from '../../shared/protocol/limits.ts';

/** Candidates that were not found within this are done without: most are there at once. */
const GATHER_TIMEOUT_MS = 1_000;
/** No more is given to the browser than this until it has sent down to a quarter of it. */
const HIGH_WATER_BYTES = 2 ** 20;

export const rtcLinks: DirectTransport = { connect };

function connect({ initiates, ice, ...on }: ConnectionOptions) {
  const connection = new RTCPeerConnection({ iceServers: ice.map((urls) => ({ urls })) });
  // Both ends make it, so that neither has to wait for the other's.
  const channel = connection.createDataChannel('ailo', { negotiated: true, id: 0 });
  channel.binaryType = 'arraybuffer';
  channel.bufferedAmountLowThreshold = HIGH_WATER_BYTES / 4;
  let closed = false;

  function close() {
    closed = true;
    connection.close();
  }

  function end(reason: string) {
    if (closed) return;
    close();
    on.onClose(reason);
  }

  /** What either end says badly ends the connection. */
  function attempt(work: () => Promise<void>) {
    work().catch((error: unknown) => end(String(error)));
  }

  async function describeOwn(kind: 'offer' | 'answer') {
    await connection.setLocalDescription();
    await gathered(connection);
    if (!closed) on.onDescription(kind, connection.localDescription!.sdp);
  }

  channel.onopen = () => {
    if ((connection.sctp?.maxMessageSize ?? 0) < MAX_PEER_MESSAGE_BYTES) end('the other end takes no large messages');
    else on.onOpen();
  };
  channel.onmessage = ({ data }: MessageEvent<unknown>) => {
    if (data instanceof ArrayBuffer) on.onMessage(new Uint8Array(data));
    else end('the other end said something that is not binary');
  };
  channel.onbufferedamountlow = () => on.onDrained();
  channel.onclose = () => end('the channel closed');
  connection.onconnectionstatechange = () => {
    if (connection.connectionState === 'failed') end('there is no way to the other end');
  };
  if (initiates) attempt(() => describeOwn('offer'));

  return {
    describe(kind: 'offer' | 'answer', sdp: string) {
      attempt(async () => {
        await connection.setRemoteDescription({ type: kind, sdp });
        if (kind === 'offer') await describeOwn('answer');
      });
    },
    get writable() {
      return channel.bufferedAmount < HIGH_WATER_BYTES;
    },
    send(data: Uint8Array<ArrayBuffer>) {
      if (channel.readyState === 'open') channel.send(data);
      else queueMicrotask(() => end('the channel is not open'));
    },
    close,
  };
}

function gathered(connection: RTCPeerConnection): Promise<void> {
  if (connection.iceGatheringState === 'complete') return Promise.resolve();
  return new Promise((resolve) => {
    setTimeout(resolve, GATHER_TIMEOUT_MS);
    connection.addEventListener('icegatheringstatechange', () => {
      if (connection.iceGatheringState === 'complete') resolve();
    });
  });
}
