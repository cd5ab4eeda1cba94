/**
 * Aggregation as a network does it: every worker's change crosses as an update, with the worker's own error feedback; they
 * are joined by a rule, and what comes back to all is an update again. In memory, for models of one process.
 */
import { concatBytes } from '@noble/hashes/utils.js';
import { sha256 } from '../../bytes/sha256-sync.ts';
import { UNIT_BYTES } from '../../ledger/training-receipt.ts';
import { aggregate } from '../aggregate/aggregate.ts';
import { applyUpdate } from '../aggregate/apply.ts';
import type { Contribution as CodedContribution } from '../aggregate/cohort.ts';
import { measureUpdate } from '../aggregate/measure.ts';
import type { Rule } from '../aggregate/rules.ts';
import { encodeUpdate } from '../codec/encode.ts';
import type { UpdateFormat, UpdateHeader } from '../codec/format.ts';
import { type ParameterSpace, spaceValues } from '../codec/space.ts';
import { memoryStore, type ParameterStore } from '../codec/store.ts';
import { spaceOf } from '../flat.ts';
import type { Parameter } from '../model/family.ts';
import type { TensorStore } from '../store.ts';
import type { Aggregator, Contribution } from './aggregator.ts';

export interface CodedOptions {
  /** As a model's id; stands in every update's header. */
  campaign: string;
  /** Of what a worker sends, and of what comes back. */
  uplink: UpdateFormat;
  downlink: UpdateFormat;
  rule: Rule;
  outerLearningRate: number;
  /** For experiments: what the workers send in truth, in place of what they learned. */
  tamper?(crossing: Crossing): Promise<Uint8Array[]>;
}

/** What crosses in a round. */
export interface Crossing extends Pick<CodedOptions, 'uplink' | 'downlink'> {
  space: ParameterSpace;
  /** From 0. */
  round: number;
  /** Of each worker, in their order. */
  updates: Uint8Array[];
  /** What the last round sent back to all; undefined in the first. */
  published: Uint8Array | undefined;
}

export interface CodedAggregator extends Aggregator {
  /** What all workers have sent so far, and what one of them has received. */
  readonly sent: { uplinkBytes: number; downlinkBytes: number };
}

/** Throws UPDATE_INVALID for changes that are not finite. */
export function codedAggregator(options: CodedOptions): CodedAggregator {
  const { campaign, uplink, downlink, rule, outerLearningRate, tamper } = options;
  const sent = { uplinkBytes: 0, downlinkBytes: 0 };
  /** What each worker has not sent yet, in their order; and what the aggregate has not. */
  const feedback: ParameterStore[] = [];
  let behind: ParameterStore | undefined;
  let published: Uint8Array | undefined;
  let round = 0;

  async function encoded(
    worker: number,
    space: ParameterSpace,
    deltas: AsyncIterable<Float32Array>,
    { format, start, feedback }: { format: UpdateFormat; start: Uint8Array; feedback: ParameterStore },
  ): Promise<Uint8Array> {
    const header: UpdateHeader = { campaign, round, unit: unitOf(worker), start };
    const chunks: Uint8Array[] = [];
    for await (const chunk of encodeUpdate(header, space, format, deltas, feedback)) chunks.push(chunk);
    return concatBytes(...chunks);
  }

  async function sentBy(worker: number, space: ParameterSpace, start: Flat, end: TensorStore): Promise<Uint8Array> {
    feedback[worker] ??= memoryStore(new Float32Array(start.values.length));
    const from = { format: uplink, start: start.hash, feedback: feedback[worker] };
    const bytes = await encoded(worker + 1, space, changesOf(space, start.values, end), from);
    sent.uplinkBytes += bytes.length;
    return bytes;
  }

  async function received(worker: number, space: ParameterSpace, bytes: Uint8Array, { weight }: Contribution) {
    const { norm } = await measureUpdate([bytes], space, uplink);
    return { unit: unitOf(worker + 1), open: () => [bytes], norm, sequences: weight, staleness: 0 };
  }

  return {
    sent,
    async advance(model, parameters, contributions) {
      const space = spaceOf(parameters);
      const start = await flat(model, space);
      let updates: Uint8Array[] = [];
      for (const [worker, { end }] of contributions.entries()) updates.push(await sentBy(worker, space, start, end));
      if (tamper) updates = await tamper({ uplink, downlink, space, round, updates, published });
      const cohort: CodedContribution[] = [];
      for (const [worker, one] of contributions.entries()) {
        cohort.push(await received(worker, space, updates[worker]!, one));
      }
      behind ??= memoryStore(new Float32Array(start.values.length));
      const joint = aggregate(cohort, space, uplink, rule, outerLearningRate);
      const back = await encoded(0, space, joint, { format: downlink, start: start.hash, feedback: behind });
      sent.downlinkBytes += back.length;
      published = back;
      await applyUpdate([back], space, downlink, memoryStore(start.values));
      await scatter(model, parameters, start.values);
      round++;
    },
  };
}

interface Flat {
  /** Of the whole space, in its order. */
  values: Float32Array;
  /** SHA-256 over them, little-endian. */
  hash: Uint8Array;
}

async function flat(model: TensorStore, space: ParameterSpace): Promise<Flat> {
  const values = new Float32Array(spaceValues(space));
  let at = 0;
  for (const { name } of space) {
    const tensor = await model.read(name);
    values.set(tensor, at);
    at += tensor.length;
  }
  return { values, hash: sha256(new Uint8Array(values.buffer)) };
}

/** Start less end, tensor by tensor. */
async function* changesOf(space: ParameterSpace, start: Float32Array, end: TensorStore): AsyncGenerator<Float32Array> {
  let at = 0;
  for (const { name } of space) {
    const tensor = await end.read(name);
    yield tensor.map((value, i) => start[at + i]! - value);
    at += tensor.length;
  }
}

async function scatter(model: TensorStore, parameters: readonly Parameter[], values: Float32Array): Promise<void> {
  let at = 0;
  for (const { name } of parameters) {
    const { length } = await model.read(name);
    await model.write(name, values.slice(at, at + length));
    at += length;
  }
}

/** Zeros for what goes back to all. */
function unitOf(number: number): Uint8Array {
  const unit = new Uint8Array(UNIT_BYTES);
  new DataView(unit.buffer).setUint32(0, number);
  return unit;
}
