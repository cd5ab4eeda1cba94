/** The log as rules read it: how long it is, and what its recent prefixes' roots are. */
export interface LogView {
  /** Entries before the one being judged. */
  readonly size: number;
  /** RFC 6962 root over the first `size` entries; undefined further back than COSIGNATURE_WINDOW, or ahead. */
  rootAt(size: number): Uint8Array | undefined;
}
