/** Calls in both directions over a message port; errors cross as code and sentence, large data by transfer. */
import { AiloError, toAiloError, type WireError } from '../../shared/errors/index.ts';

/** A worker, the inside of one, or a `MessagePort`. */
export interface Port {
  postMessage(message: unknown, transfer: Transferable[]): void;
  addEventListener(type: 'message', listener: (event: MessageEvent) => void): void;
}

/** What a handler gives back; `transfer` moves the buffers instead of copying them. */
export interface Reply<T = unknown> {
  value: T;
  transfer?: Transferable[];
}

/** Functions by name; the arguments and values are plain data. */
export type Handlers = Record<string, (argument: never) => Promise<Reply>>;

/** The calls that a side answers, as its peer sees them. */
export type Calls<H extends Handlers> = <K extends keyof H & string>(
  name: K,
  argument: Parameters<H[K]>[0],
  transfer?: Transferable[],
) => Promise<Awaited<ReturnType<H[K]>>['value']>;

type Message =
  | { kind: 'call'; id: number; name: string; argument: unknown }
  | { kind: 'value'; id: number; value: unknown }
  | { kind: 'error'; id: number; error: WireError };

export interface Connection<Theirs extends Handlers> {
  call: Calls<Theirs>;
  /** Rejects what is waiting and all that is asked from now on. */
  fail(error: AiloError): void;
}

/** Answers the peer's calls with `handlers` and calls the peer's. */
export function connect<Theirs extends Handlers>(port: Port, handlers: Handlers): Connection<Theirs> {
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: AiloError) => void }>();
  let nextId = 0;
  let broken: AiloError | undefined;

  const post = (message: Message, transfer: Transferable[] = []) => port.postMessage(message, transfer);

  async function answer({ id, name, argument }: Extract<Message, { kind: 'call' }>): Promise<void> {
    try {
      const { value, transfer } = await handlers[name]!(argument as never);
      post({ kind: 'value', id, value }, transfer);
    } catch (thrown) {
      const error = toAiloError(thrown);
      if (error.code === 'INTERNAL') console.error(thrown);
      post({ kind: 'error', id, error: error.toWire() });
    }
  }

  port.addEventListener('message', ({ data }: MessageEvent<Message>) => {
    if (data.kind === 'call') {
      void answer(data);
      return;
    }
    const call = waiting.get(data.id);
    waiting.delete(data.id);
    if (data.kind === 'value') call?.resolve(data.value);
    else call?.reject(AiloError.fromWire(data.error));
  });

  return {
    call: (name, argument, transfer) =>
      new Promise((resolve, reject) => {
        if (broken) {
          reject(broken);
          return;
        }
        const id = nextId++;
        waiting.set(id, { resolve: resolve as (value: unknown) => void, reject });
        post({ kind: 'call', id, name, argument }, transfer);
      }),
    fail(error) {
      broken = error;
      for (const { reject } of waiting.values()) reject(error);
      waiting.clear();
    },
  };
}
