/** What the tests of virtual training share. */
import type { Random } from '../data.ts';
import type { Files, RandomAccessFile } from './files.ts';

/** A computer that stops. */
export class Crash extends Error {}

/** Files in memory. What was not flushed when the computer stopped is there or not, half or whole, as chance has it. */
export class MemoryDisk {
  /** Writes and flushes since the disk was made. */
  operations = 0;
  readonly #files = new Map<string, MemoryFile>();
  readonly #random: Random;
  #left = Number.POSITIVE_INFINITY;

  constructor(random: Random = () => 0) {
    this.#random = random;
  }

  /** The files as a program that starts finds them. So many writes and flushes work; in the next the computer stops. */
  start(operations = Number.POSITIVE_INFINITY): Files {
    this.#left = operations;
    for (const file of this.#files.values()) file.settle(this.#random);
    const open = (name: string) => {
      const file = this.#files.get(name) ?? new MemoryFile(() => this.#work());
      this.#files.set(name, file);
      return file;
    };
    return {
      open: async (name) => open(name),
      clear: async (name) => open(name).clear(),
      close: async () => {},
    };
  }

  #work(): void {
    this.operations++;
    if (this.#left-- <= 0) throw new Crash();
  }
}

interface Pending {
  at: number;
  bytes: Uint8Array;
}

class MemoryFile implements RandomAccessFile {
  readonly #work: () => void;
  #bytes = new Uint8Array(0);
  /** What lies under writes that were not flushed yet, the oldest first. */
  #unsafe: Pending[] = [];

  constructor(work: () => void) {
    this.#work = work;
  }

  async read(at: number, into: Uint8Array): Promise<void> {
    into.fill(0);
    into.set(this.#bytes.subarray(at, at + into.length));
  }

  async write(at: number, bytes: Uint8Array): Promise<void> {
    this.#grow(at + bytes.length);
    this.#unsafe.push({ at, bytes: this.#bytes.slice(at, at + bytes.length) });
    this.#bytes.set(bytes, at);
    this.#work();
  }

  async flush(): Promise<void> {
    this.#work();
    this.#unsafe = [];
  }

  clear(): void {
    this.#bytes = new Uint8Array(0);
    this.#unsafe = [];
  }

  /** Takes back some of what was not flushed, or a part of it. */
  settle(random: Random): void {
    for (const { at, bytes } of this.#unsafe.reverse()) {
      const kept = [0, Math.floor(bytes.length / 2), bytes.length][random() % 3]!;
      this.#bytes.set(bytes.subarray(0, kept), at);
    }
    this.#unsafe = [];
  }

  #grow(length: number): void {
    if (length <= this.#bytes.length) return;
    const grown = new Uint8Array(length);
    grown.set(this.#bytes);
    this.#bytes = grown;
  }
}
