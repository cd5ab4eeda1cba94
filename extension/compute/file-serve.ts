/** The file worker's side: one folder of OPFS, whose files are read and written in the order of asking. */
import { AiloError } from '../../shared/errors/index.ts';
import { connect, type Handlers, type Port, type Reply } from './rpc.ts';

export interface FileCalls extends Handlers {
  folder(name: string): Promise<Reply<void>>;
  open(name: string): Promise<Reply<void>>;
  clear(name: string): Promise<Reply<void>>;
  /** Into shared memory. */
  read(what: { name: string; at: number; into: Uint8Array }): Promise<Reply<void>>;
  readCopy(what: { name: string; at: number; length: number }): Promise<Reply<Uint8Array>>;
  write(what: { name: string; at: number; bytes: Uint8Array }): Promise<Reply<void>>;
  flush(name: string): Promise<Reply<void>>;
  close(argument: undefined): Promise<Reply<void>>;
}

/** What is used of OPFS. */
export interface Folder {
  getFileHandle(name: string, options: { create: true }): Promise<{ createSyncAccessHandle(): Promise<SyncFile> }>;
}

export interface SyncFile {
  read(into: Uint8Array, options: { at: number }): number;
  write(bytes: Uint8Array, options: { at: number }): number;
  truncate(bytes: number): void;
  flush(): void;
  close(): void;
}

/** The worker that was ended last may hold its files for a moment. */
const LOCKED_ATTEMPTS = 50;
const LOCKED_WAIT_MS = 100;

/** Serves one folder that `openFolder` finds by its name. All calls throw STATE_NOT_STORED. */
export function serveFiles(
  port: Port,
  openFolder: (name: string) => Promise<Folder>,
  wait: (ms: number) => Promise<void> = (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
): void {
  let folder: Folder | undefined;
  const files = new Map<string, SyncFile>();

  async function opened(name: string): Promise<SyncFile> {
    const known = files.get(name);
    if (known) return known;
    const handle = await folder!.getFileHandle(name, { create: true });
    for (let attempt = 1; ; attempt++) {
      try {
        const file = await handle.createSyncAccessHandle();
        files.set(name, file);
        return file;
      } catch (error) {
        if (!isLocked(error) || attempt === LOCKED_ATTEMPTS) throw error;
        await wait(LOCKED_WAIT_MS);
      }
    }
  }

  connect(port, {
    folder: guarded(async (name) => {
      folder = await openFolder(name);
    }),
    open: guarded(async (name) => void (await opened(name))),
    clear: guarded(async (name) => (await opened(name)).truncate(0)),
    read: guarded(async ({ name, at, into }) => fill(await opened(name), at, into)),
    async readCopy({ name, at, length }) {
      const { value } = await guarded(async () => {
        const bytes = new Uint8Array(length);
        fill(await opened(name), at, bytes);
        return bytes;
      })(undefined);
      return { value, transfer: [value.buffer] };
    },
    write: guarded(async ({ name, at, bytes }) => {
      const written = (await opened(name)).write(bytes, { at });
      if (written !== bytes.length) throw new Error(`only ${written} of ${bytes.length} bytes were written`);
    }),
    flush: guarded(async (name) => (await opened(name)).flush()),
    close: guarded(async () => {
      for (const file of files.values()) file.close();
      files.clear();
    }),
  } satisfies FileCalls);
}

function isLocked(error: unknown): boolean {
  return (error as { name?: string }).name === 'NoModificationAllowedError';
}

function fill(file: SyncFile, at: number, into: Uint8Array): void {
  into.fill(0, file.read(into, { at }));
}

function guarded<A, T>(work: (argument: A) => Promise<T>): (argument: A) => Promise<Reply<T>> {
  return async (argument) => {
    try {
      return { value: await work(argument) };
    } catch (error) {
      const reason = error instanceof Error ? error.message.replace(/\.$/, '') : String(error);
      throw AiloError.of('STATE_NOT_STORED', { reason }, error);
    }
  };
}
