/** Turns events into something to iterate over: what is pushed waits for the reader, the end comes once. */
export interface EventQueue<T> extends AsyncIterable<T> {
  push(item: T): void;
  /** The reader gets what was pushed before, then the end, or the error. Later calls change nothing. */
  end(error?: Error): void;
}

export function createEventQueue<T>(): EventQueue<T> {
  const items: T[] = [];
  let ended: { error?: Error } | undefined;
  let wake = () => {};

  return {
    push(item) {
      if (ended) return;
      items.push(item);
      wake();
    },
    end(error) {
      ended ??= error ? { error } : {};
      wake();
    },
    async *[Symbol.asyncIterator]() {
      for (;;) {
        while (items.length > 0) yield items.shift()!;
        if (ended?.error) throw ended.error;
        if (ended) return;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}
