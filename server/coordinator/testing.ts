/** What the tests of the coordinator share. */
import { encodeFrame } from '../../shared/tensor/frame.ts';

/** A frame of rows without content, with marks where there are any. */
export function rowsFrame(job: string, position: number, rows: number, marks?: readonly number[]) {
  return encodeFrame({
    ...{ job, sequence: 0, position, sampleAfter: true, kind: 'hidden', rows, data: new Float32Array(rows) },
    ...(marks && { marks: Uint32Array.from(marks) }),
  });
}
