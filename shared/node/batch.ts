/** Which of the steps that wait at a stage make its next run. Pure. */
import { MAX_STEP_ROWS } from '../graph/limits.ts';
import {
  GATHER_MAX_MS,
  GATHER_SHARE,
  MAX_DECODE_ROWS,
  MIN_PIECE_ROWS,
  PIECE_MS,
  RUNS_BEFORE_PROMPT,
} from './limits.ts';

/** A step that waits, or what is left of it. */
export interface Waiting {
  rows: number;
  /** Of its last rows so many want logits; they stay together. */
  logits: number;
}

export interface BatchState {
  lanes: number;
  /** What a row of a long step took last; 0: not known yet. */
  msPerRow: number;
  /** Sequences that may have a step to decode soon, here or still at other stages. */
  decoding: number;
  /** Runs that the oldest prompt has let pass. */
  passedOver: number;
}

/** Rows from the front of a waiting step. */
export interface Piece {
  index: number;
  rows: number;
}

/**
 * `waiting` stands in the order of arrival. Steps of few rows, which answers wait for, come first; the last lane is for
 * a prompt, of which goes as much as holds nobody up for longer than `PIECE_MS`. With one lane they take turns.
 */
export function nextRun(waiting: readonly Waiting[], state: BatchState): Piece[] {
  const all = waiting.map(({ rows, logits }, index) => ({ index, rows, logits }));
  const prompts = all.filter(({ rows }) => rows > MAX_DECODE_ROWS);
  const decodes = all.filter(({ rows }) => rows <= MAX_DECODE_ROWS);
  const reserved = prompts.length > 0 && (state.lanes > 1 || state.passedOver >= RUNS_BEFORE_PROMPT) ? 1 : 0;
  const run: Piece[] = [];
  let left = MAX_STEP_ROWS;
  for (const { index, rows } of decodes.slice(0, state.lanes - reserved)) {
    if (rows > left) break;
    run.push({ index, rows });
    left -= rows;
  }
  if (state.decoding > 0 || run.length > 0) left = Math.min(left, rowsWithin(PIECE_MS, state.msPerRow));
  for (const { index, rows, logits } of prompts) {
    if (run.length >= state.lanes || left < 2) break;
    const taken = rowsOfPiece(rows, left, logits);
    run.push({ index, rows: taken });
    left -= taken;
  }
  return run;
}

/**
 * How many of `rows` rows go first where at most `most` may. Neither piece has a single row unless that is all there is:
 * the attention of a row alone rounds otherwise than that of rows together, and the cut would show in the result.
 */
export function rowsOfPiece(rows: number, most: number, logits = 0): number {
  if (rows <= most) return rows;
  const piece = Math.min(most, rows - Math.max(2, logits));
  return piece < 2 ? most : piece;
}

function rowsWithin(ms: number, msPerRow: number): number {
  if (msPerRow === 0) return MIN_PIECE_ROWS;
  return Math.max(MIN_PIECE_ROWS, Math.floor(ms / msPerRow));
}

/**
 * How long a stage that is free waits for steps of sequences that ran together with those that are here: they come one right
 * behind the other, and a run that begins with the first of them would part them for good.
 */
export function gatherMs({ missing, lastRunMs }: { missing: number; lastRunMs: number }): number {
  return missing === 0 ? 0 : Math.min(GATHER_MAX_MS, GATHER_SHARE * lastRunMs);
}
