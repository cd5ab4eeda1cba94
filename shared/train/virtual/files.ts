/** Files that are read and written anywhere, as OPFS has them in browsers and the disk in Node.js. */

export interface RandomAccessFile {
  /** Fills `into` from byte `at` on; what was never written is 0. */
  read(at: number, into: Uint8Array): Promise<void>;
  /** `bytes` is only good until the promise is fulfilled. */
  write(at: number, bytes: Uint8Array): Promise<void>;
  /** What was written before is there after a loss of power, too. */
  flush(): Promise<void>;
}

/** All throw STATE_NOT_STORED when the disk fails or is full. */
export interface Files {
  /** Opens a file, which is empty if it is new. */
  open(name: string): Promise<RandomAccessFile>;
  /** Makes the file empty. */
  clear(name: string): Promise<void>;
  /** Closes all; nothing is flushed. */
  close(): Promise<void>;
}

export function bytesOf(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
