/** Direct links in memory: what is under way waits until the test delivers it, and breaks where the test says so. */
import type { ConnectionOptions, DirectTransport } from './transport.ts';

interface End {
  node: string;
  options: ConnectionOptions;
  /** What this end has yet to be told, in order. */
  inbox: { isMessage: boolean; tell(): void }[];
  other?: End;
  closed: boolean;
  /** Nothing arrives any more, and nobody says so. */
  stalled: boolean;
}

/** As many messages may be under way before an end is not writable. */
const HIGH_WATER = 3;

export function memoryLinks() {
  const ends: End[] = [];
  let messages = 0;

  function tell(end: End, isMessage: boolean, act: (options: ConnectionOptions) => void) {
    const run = () => {
      if (!end.closed) act(end.options);
    };
    if (!end.closed) end.inbox.push({ isMessage, tell: run });
  }

  function over(end: End, reason: string) {
    tell(end, false, ({ onClose }) => {
      end.closed = true;
      onClose(reason);
    });
  }

  const waiting = ({ inbox }: End) => inbox.filter(({ isMessage }) => isMessage).length;

  return {
    /** Messages that were delivered. */
    get messages() {
      return messages;
    },
    transport: (node: string): DirectTransport => ({
      connect(options) {
        const end: End = { node, options, inbox: [], closed: false, stalled: false };
        const id = String(ends.push(end) - 1);
        if (options.initiates) tell(end, false, ({ onDescription }) => onDescription('offer', id));
        return {
          get writable() {
            return !end.other || waiting(end.other) < HIGH_WATER;
          },
          describe(kind, sdp) {
            const other = kind === 'offer' ? ends[Number(sdp)] : end.other;
            if (!other || other.closed) return over(end, 'nobody is there');
            end.other = other;
            other.other = end;
            if (kind === 'offer') return tell(end, false, ({ onDescription }) => onDescription('answer', sdp));
            for (const each of [end, other]) tell(each, false, ({ onOpen }) => onOpen());
          },
          send(data) {
            const { other } = end;
            if (!other || end.closed) return;
            tell(other, true, ({ onMessage }) => {
              messages++;
              onMessage(data);
            });
          },
          close() {
            end.closed = true;
            end.inbox.length = 0;
            if (end.other && !end.other.closed) over(end.other, 'the other end closed it');
          },
        };
      },
    }),
    /** One for each end that has something to be told. */
    deliveries(isAlive: (node: string) => boolean): (() => void)[] {
      return ends
        .filter(({ node, inbox, stalled, closed }) => inbox.length > 0 && !stalled && !closed && isAlive(node))
        .map((end) => () => {
          const { isMessage, tell: run } = end.inbox.shift()!;
          run();
          const { other } = end;
          if (isMessage && other && waiting(end) === 0) tell(other, false, ({ onDrained }) => onDrained());
        });
    },
    /** Breaks a link, or lets it stall: of what is under way, so much still arrives at each of both ends. */
    disturb(which: number, how: 'breaks' | 'stalls', kept: [number, number]) {
      const open = ends.filter(({ other, closed }) => other && !closed);
      const end = open[which % Math.max(1, open.length)];
      if (!end) return;
      for (const [i, each] of [end, end.other!].entries()) {
        each.inbox.length = Math.min(each.inbox.length, kept[i]!);
        if (how === 'stalls') each.stalled = true;
        else over(each, 'it broke');
      }
    },
    /** A node is gone; the other ends may be told. */
    lose(node: string, isTold: boolean) {
      for (const end of ends.filter((each) => each.node === node && !each.closed)) {
        end.closed = true;
        end.inbox.length = 0;
        if (end.other && isTold) over(end.other, 'the other end is gone');
      }
    },
  };
}
