/** What a stage decides at each step of a job, without doing it. */
import { AiloError } from '../errors/index.ts';
import { MAX_STEP_ROWS } from '../graph/limits.ts';
import type { StageGraph } from '../graph/types.ts';
import { MAX_FRAME_BYTES } from '../protocol/limits.ts';
import type { StageInput } from '../runtime/types.ts';
import type { Frame } from '../tensor/frame.ts';
import { payloadBytes, type WireDtype } from '../tensor/payload.ts';
import { rowsOfPiece } from './batch.ts';

/** Room for the header of a frame. */
const FRAME_HEADER_BYTES = 64;

export type StageShape = Pick<StageGraph, 'takes' | 'gives' | 'inWidth' | 'outWidth' | 'vocabSize'>;

/** A run of the stage: rows of one frame that together make one output frame. */
export interface Step {
  position: number;
  rows: number;
  input: StageInput;
  /** The last stage chooses a token after it. */
  sampleAfter: boolean;
}

/** Rows that one step may have, so that what comes out fits one frame and one run stays small. */
export function rowsPerStep({ gives, outWidth }: StageShape, wire: WireDtype): number {
  if (gives === 'logits') return MAX_STEP_ROWS;
  const fitting = Math.floor((MAX_FRAME_BYTES - FRAME_HEADER_BYTES) / payloadBytes(1, outWidth, wire));
  return Math.max(1, Math.min(MAX_STEP_ROWS, fitting));
}

/**
 * The steps that a frame asks of this stage. Rows from position `singleFrom` on are computed one at a time, however
 * many the frame has. Throws FRAME_INVALID for what the stage cannot take.
 */
export function stepsOf(
  frame: Frame,
  shape: StageShape,
  maxRows: number,
  singleFrom = Number.POSITIVE_INFINITY,
): Step[] {
  checkFrame(frame, shape);
  const rows = frame.kind === 'tokens' ? frame.ids.length : frame.rows;
  const steps: Step[] = [];
  for (let start = 0, end = 0; start < rows; start = end) {
    const single = frame.position + start >= singleFrom;
    const prompt = Math.min(rows, singleFrom - frame.position) - start;
    end = start + (single ? 1 : rowsOfPiece(prompt, maxRows));
    steps.push({
      position: frame.position + start,
      rows: end - start,
      input: inputRows(frame, start, end, shape.inWidth),
      sampleAfter: frame.sampleAfter && end === rows,
    });
  }
  return steps;
}

/** The frame without its first rows, of which there are more than `rows`. */
export function withoutFirst(frame: Frame, rows: number): Frame {
  const position = frame.position + rows;
  if (frame.kind === 'tokens') return { ...frame, position, ids: frame.ids.subarray(rows) };
  const columns = frame.data.length / frame.rows;
  return { ...frame, position, rows: frame.rows - rows, data: frame.data.subarray(rows * columns) };
}

function checkFrame(frame: Frame, { takes, inWidth, vocabSize }: StageShape): void {
  if (frame.kind !== takes) throw invalid(`this stage takes ${takes}, not ${frame.kind}`);
  if (frame.kind === 'hidden' && frame.data.length !== frame.rows * inWidth) {
    throw invalid(`its rows do not have ${inWidth} columns`);
  }
  if (frame.kind === 'tokens' && frame.ids.some((id) => id >= vocabSize)) {
    throw invalid(`it has a token beyond the vocabulary of ${vocabSize}`);
  }
}

function inputRows(frame: Frame, start: number, end: number, inWidth: number): StageInput {
  return frame.kind === 'tokens'
    ? { kind: 'tokens', ids: frame.ids.subarray(start, end) }
    : { kind: 'hidden', rows: end - start, data: frame.data.subarray(start * inWidth, end * inWidth) };
}

/**
 * Whether the answer ends with this token, and why. `index` is the token's place in the answer, `position` the place
 * in the sequence that it would have as the next input.
 */
export function finishReason(
  { token, index, position }: { token: number; index: number; position: number },
  bounds: { eosTokens: number[]; maxNewTokens: number; contextLength: number },
): 'stop' | 'length' | undefined {
  if (bounds.eosTokens.includes(token)) return 'stop';
  return index + 1 >= bounds.maxNewTokens || position >= bounds.contextLength ? 'length' : undefined;
}

function invalid(reason: string): AiloError {
  return AiloError.of('FRAME_INVALID', { reason });
}
