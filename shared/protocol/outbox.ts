/** What was sent and not yet acknowledged, in order and bounded. */
export interface Outbox {
  /** The last message that the peer acknowledged. */
  readonly acknowledged: number;
  /** Whether `received` names a message that was sent and everything after it is still here. */
  covers(received: number): boolean;
  /** Forgets messages up to `received`; an old acknowledgement changes nothing. */
  acknowledge(received: number): void;
  /** The numbered message, or undefined when it would break a bound. */
  add(type: string, body: unknown): Numbered | undefined;
  waiting(): readonly Numbered[];
  clear(): void;
}

export interface Numbered {
  seq: number;
  type: string;
  body: unknown;
}

export function createOutbox({ maxBytes, maxMessages }: { maxBytes: number; maxMessages: number }): Outbox {
  const messages: Numbered[] = [];
  const sizes: number[] = [];
  let acknowledged = 0;
  let bytes = 0;

  return {
    get acknowledged() {
      return acknowledged;
    },
    covers: (received) => received >= acknowledged && received <= acknowledged + messages.length,
    acknowledge(received) {
      const count = Math.min(received - acknowledged, messages.length);
      if (count <= 0) return;
      messages.splice(0, count);
      for (const size of sizes.splice(0, count)) bytes -= size;
      acknowledged += count;
    },
    add(type, body) {
      const size = approximateBytes(body);
      if (messages.length >= maxMessages || bytes + size > maxBytes) return undefined;
      const message = { seq: acknowledged + messages.length + 1, type, body };
      messages.push(message);
      sizes.push(size);
      bytes += size;
      return message;
    },
    waiting: () => messages,
    clear() {
      acknowledged += messages.length;
      messages.length = 0;
      sizes.length = 0;
      bytes = 0;
    },
  };
}

/** Memory that a message keeps, roughly: enough for a bound, without encoding it. */
export function approximateBytes(value: unknown): number {
  if (value instanceof Uint8Array) return value.byteLength;
  if (typeof value === 'string') return 2 * value.length;
  if (typeof value !== 'object' || value === null) return 8;
  let sum = 32;
  for (const item of Object.values(value)) sum += 8 + approximateBytes(item);
  return sum;
}
