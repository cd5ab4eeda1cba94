/**
 * The weights and optimiser state of a model on a disk, and how a step becomes true of them. A step is finished when its
 * gradients lie there and the journal says so; what they change is then written segment by segment, as often as it takes.
 */
import { bytesToHex } from '@noble/hashes/utils.js';
import { type Chunks, FloatReader } from '../codec/rechunk.ts';
import { spaceHash } from '../codec/space.ts';
import type { ParameterSource, ParameterStore } from '../codec/store.ts';
import { bytesOf, type Files, type RandomAccessFile } from './files.ts';
import { Journal } from './journal.ts';
import { type Layout, piecesOf } from './layout.ts';
import { APPLY_BATCHES, SEGMENT_VALUES } from './limits.ts';
import { type Ring, ringOf, slotOf } from './ring.ts';
import { StepRecord, type StepUpdate } from './step-record.ts';

const ITEM_BYTES = Float32Array.BYTES_PER_ELEMENT;
const FILES = { segments: 'segments', gradients: 'gradients', journal: 'journal' };

export interface StateOptions {
  files: Files;
  layout: Layout;
  /** What the optimiser keeps of each value. */
  slots: readonly string[];
  /** SEGMENT_VALUES, but in tests. */
  segmentValues?: number;
}

interface Opened {
  segments: RandomAccessFile;
  gradients: RandomAccessFile;
  journal: Journal<StepRecord>;
}

export class TrainingState {
  readonly layout: Layout;
  readonly ring: Ring;
  readonly segmentValues: number;
  /** Arrays of a segment: the weights and what the optimiser keeps. */
  readonly arrays: number;
  /** As they are after the last finished step. */
  readonly weights: ParameterSource;
  readonly gradients: ParameterStore;
  readonly #identity: string;
  readonly #segments: RandomAccessFile;
  readonly #gradients: RandomAccessFile;
  readonly #journal: Journal<StepRecord>;

  private constructor(options: Required<StateOptions>, { segments, gradients, journal }: Opened, identity: string) {
    this.layout = options.layout;
    this.segmentValues = options.segmentValues;
    this.ring = ringOf(Math.ceil(options.layout.values / options.segmentValues), APPLY_BATCHES);
    this.arrays = 1 + options.slots.length;
    this.#identity = identity;
    this.#segments = segments;
    this.#gradients = gradients;
    this.#journal = journal;
    this.weights = { read: (start, into) => this.#readWeights(start, into) };
    this.gradients = {
      read: (start, into) => gradients.read(start * ITEM_BYTES, bytesOf(into)),
      write: (start, values) => gradients.write(start * ITEM_BYTES, bytesOf(values)),
    };
  }

  /** Takes up what is there, or makes empty files: `begin` is due where there is no `start`. Throws STATE_NOT_STORED. */
  static async open(options: StateOptions): Promise<TrainingState> {
    const { files, layout, slots, segmentValues = SEGMENT_VALUES } = options;
    const identity = [bytesToHex(spaceHash(layout.tensors)), segmentValues, ...slots].join(' ');
    const journal = await Journal.open(await files.open(FILES.journal), StepRecord);
    const known = journal.last?.layout === identity;
    if (!known) {
      journal.last = undefined;
      for (const name of Object.values(FILES)) await files.clear(name);
    }
    const [segments, gradients] = [await files.open(FILES.segments), await files.open(FILES.gradients)];
    return new TrainingState({ ...options, segmentValues }, { segments, gradients, journal }, identity);
  }

  /** Names the weights that the local steps began with; undefined before there are any. */
  get start(): string | undefined {
    const { last } = this.#journal;
    return last && last.phase !== 'filling' ? last.start : undefined;
  }

  /** Steps of the optimiser that are finished. */
  get step(): number {
    return this.#journal.last?.step ?? 0;
  }

  /** Of those, how many since `begin`. */
  get localSteps(): number {
    return this.step - (this.#journal.last?.began ?? 0);
  }

  /** Of the last finished step; `segments` less than all there are: the others have to be updated still. */
  get update(): StepUpdate | undefined {
    return this.#journal.last?.update;
  }

  get applied(): boolean {
    return this.#journal.last?.phase !== 'applying';
  }

  /**
   * Takes over weights, all in order; what the optimiser keeps stays as it is. The first time its zeros are written, too,
   * so that the disk has the room before a step needs it. Throws RangeError where the values do not fill the space.
   */
  async begin(start: string, values: Chunks<Float32Array>): Promise<void> {
    const { step, segmentValues } = this;
    if (!this.applied) throw new RangeError('the last step is not applied yet');
    const arrays = this.#journal.last ? 1 : this.arrays;
    await this.#note({ start, step, began: step, phase: 'filling' });
    const source = new FloatReader(values);
    try {
      const buffer = new Float32Array(arrays * segmentValues);
      for (let segment = 0; segment < this.ring.segments; segment++) {
        const length = this.lengthOf(segment);
        await source.fill(buffer.subarray(0, length));
        buffer.fill(0, length, segmentValues);
        await this.#segments.write(this.#at(segment, step), bytesOf(buffer));
      }
      await source.end();
    } finally {
      await source.close();
    }
    await this.#segments.flush();
    await this.#note({ start, step, began: step, phase: 'ready' });
  }

  /** Finishes a step whose gradients are written. */
  async finish(update: Omit<StepUpdate, 'segments'>): Promise<void> {
    await this.#gradients.flush();
    const { start, step, began } = this.#last();
    await this.#note({ start, began, step: step + 1, phase: 'applying', update: { ...update, segments: 0 } });
  }

  /** A segment's arrays, one after the other, as they were before the last finished step. */
  readSegment(segment: number, into: Float32Array): Promise<void> {
    return this.#segments.read(this.#at(segment, this.step - 1), bytesOf(into));
  }

  /** Those after it. */
  writeSegment(segment: number, arrays: Float32Array): Promise<void> {
    return this.#segments.write(this.#at(segment, this.step), bytesOf(arrays));
  }

  /** All segments before `segments` are written: what they leave behind may be overwritten. */
  async advance(segments: number): Promise<void> {
    await this.#segments.flush();
    const { update, ...last } = this.#last();
    const phase = segments === this.ring.segments ? 'ready' : 'applying';
    await this.#note({ ...last, phase, update: { ...update!, segments } });
  }

  /** Values of a segment: fewer in the last. */
  lengthOf(segment: number): number {
    return Math.min(this.segmentValues, this.layout.values - segment * this.segmentValues);
  }

  #at(segment: number, step: number): number {
    return slotOf(this.ring, segment, step) * this.arrays * this.segmentValues * ITEM_BYTES;
  }

  async #readWeights(start: number, into: Float32Array): Promise<void> {
    const { step } = this;
    const pieces = [...piecesOf({ start, length: into.length }, this.segmentValues)];
    await Promise.all(
      pieces.map(({ index, offset, length, at }) =>
        this.#segments.read(this.#at(index, step) + offset * ITEM_BYTES, bytesOf(into.subarray(at, at + length))),
      ),
    );
  }

  #note(record: Omit<StepRecord, 'layout'>): Promise<void> {
    return this.#journal.write({ ...record, layout: this.#identity });
  }

  #last(): StepRecord {
    const { last } = this.#journal;
    if (!last) throw new RangeError('there are no weights yet');
    return last;
  }
}
