/** What model files may take of the disk: most of what the browser grants, which with our permission is what is free. */

/** Where the browser does not tell. */
const UNKNOWN_QUOTA_BYTES = 4e9;
/** The wallet, the ledger and other programs need some, too. */
const SHARE = 0.5;

/** Bytes. What is stored already is part of the quota. */
export function budgetOf({ quota = UNKNOWN_QUOTA_BYTES }: Pick<StorageEstimate, 'quota'>): number {
  return Math.floor(SHARE * quota);
}

export async function storageBudget(): Promise<number> {
  return budgetOf(await navigator.storage.estimate());
}

/** Asks the browser not to clear our storage when the disk gets full. It may say no; then chunks are fetched again. */
export function keepStorage(): void {
  navigator.storage.persist().catch((error) => console.warn('storage may be cleared', error));
}
