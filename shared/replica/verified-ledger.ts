/** The stored copy and what may be done with it: judge one checkpoint after the other. Owned by one follower. */
import { AiloError } from '../errors/index.ts';
import { equalBytes } from '../ledger/binary.ts';
import { decodeCheckpoint } from '../ledger/checkpoint.ts';
import type { LedgerCopy } from './copy.ts';
import { decodeEvidence, encodeEvidence } from './evidence.ts';
import { type CopyOptions, forgetCopy, openCopy, restoreVerified } from './open-copy.ts';
import { type Outcome, type ReplayOptions, replay, type Target } from './replay.ts';
import { findRewrite } from './rewrite.ts';
import { type Row, readRow } from './store.ts';
import { storedRoot } from './stored-tiles.ts';
import type { Evidence } from './types.ts';

export type VerifiedLedgerOptions = CopyOptions &
  ReplayOptions & {
    /** What is stored cannot be used and is replayed anew. */
    onCorrupt(error: AiloError): void;
  };

/** After these, the copy is as it was before the entry that was not placed. */
const HARMLESS = new Set(['LEDGER_UNREACHABLE', 'TILE_INVALID', 'CANCELLED']);

export class VerifiedLedger {
  readonly #options: VerifiedLedgerOptions;
  /** Undefined when what is in memory must not be believed; a rejected one never stays. */
  #copy: Promise<LedgerCopy> | undefined;
  #current: LedgerCopy | undefined;

  constructor(options: VerifiedLedgerOptions) {
    this.#options = options;
  }

  /** The copy, opened where it is not. What is damaged is forgotten: it can be replayed. Throws the store's error. */
  open(): Promise<LedgerCopy> {
    return this.#copy ?? this.#adopt(this.#open());
  }

  /** The copy where it is open. */
  get current(): LedgerCopy | undefined {
    return this.#current;
  }

  /** What was stored of a contradiction. */
  async evidence(): Promise<Evidence | undefined> {
    const row = await readRow(this.#options.store, 'evidence', 0);
    return row && decodeEvidence(row);
  }

  /**
   * Verifies up to the checkpoint, or compares it with what was verified. Evidence, stored, where it contradicts. Throws
   * TILE_INVALID where what is served is not what is signed, LEDGER_CORRUPT, and what `replay` throws; then try again.
   */
  async judge(target: Target): Promise<Evidence | undefined> {
    try {
      return await this.#judge(target);
    } catch (error) {
      if (isCorrupt(error)) await this.#adopt(this.#openAnew(error));
      throw error;
    }
  }

  async #judge(target: Target): Promise<Evidence | undefined> {
    const copy = await this.open();
    const { verified, base } = copy.head;
    const { size } = target.checkpoint;
    if (verified && size <= base.size) return this.#compare(copy, target);
    // Progress towards a larger checkpoint is of no use for this one.
    if (size < copy.tip.log.size) {
      await this.#restore();
      return this.#judge(target);
    }
    const outcome = await this.#replay(copy, target);
    if (outcome === 'verified') return undefined;
    const found = outcome === 'mismatch' ? await findRewrite(copy.head, target, this.#options) : outcome;
    if (found) return this.#contradicted(found);
    await this.#restore();
    throw AiloError.of('TILE_INVALID', { reason: `the first ${size} entries are not those that the checkpoint seals` });
  }

  #adopt(opening: Promise<LedgerCopy>): Promise<LedgerCopy> {
    this.#copy = opening;
    this.#current = undefined;
    opening.then(
      (copy) => {
        if (this.#copy === opening) this.#current = copy;
      },
      () => {
        if (this.#copy === opening) this.#copy = undefined;
      },
    );
    return opening;
  }

  async #open(): Promise<LedgerCopy> {
    try {
      return await openCopy(this.#options);
    } catch (error) {
      if (!isCorrupt(error)) throw error;
      return this.#openAnew(error);
    }
  }

  async #openAnew(error: AiloError): Promise<LedgerCopy> {
    this.#options.onCorrupt(error);
    await forgetCopy(this.#options.store);
    return openCopy(this.#options);
  }

  async #compare({ head, tip }: LedgerCopy, { seal, checkpoint }: Target): Promise<Evidence | undefined> {
    const { size, root } = checkpoint;
    const verified = head.verified!.seal;
    if (size === decodeCheckpoint(verified.bytes).size) {
      if (equalBytes(seal.bytes, verified.bytes)) return undefined;
      const reason = AiloError.of('LEDGER_FORKED', { size }).toWire();
      return this.#contradicted({ kind: 'fork', older: verified, newer: seal, reason });
    }
    const whole = { size: head.base.size, root: decodeCheckpoint(verified.bytes).root };
    const expected = tip.log.rootAt(size) ?? (await storedRoot(this.#options.store, size, whole));
    if (equalBytes(root, expected)) return undefined;
    const reason = AiloError.of('LEDGER_REWRITTEN', {}).toWire();
    return this.#contradicted({ kind: 'rewrite', older: seal, newer: verified, reason });
  }

  async #replay(copy: LedgerCopy, target: Target): Promise<Outcome> {
    try {
      return await replay(copy, target, this.#options);
    } catch (error) {
      if (!(error instanceof AiloError) || !HARMLESS.has(error.code)) {
        this.#copy = undefined;
        this.#current = undefined;
      }
      throw error;
    }
  }

  async #contradicted(found: Exclude<Outcome, string>): Promise<Evidence> {
    const evidence = { ...found, noticedMs: this.#options.now() };
    await this.#restore(encodeEvidence(evidence));
    return evidence;
  }

  /** Back to the last verified checkpoint, in the store and here, together with evidence. */
  async #restore(evidence?: Uint8Array): Promise<void> {
    const { store } = this.#options;
    const rows: Row[] = evidence ? [{ part: 'evidence', index: 0, bytes: evidence }] : [];
    await this.#adopt(restoreVerified(store, rows).then(() => this.#open()));
  }
}

function isCorrupt(error: unknown): error is AiloError {
  return error instanceof AiloError && error.code === 'LEDGER_CORRUPT';
}
