/**
 * Where segments lie in a file that is rewritten step by step without ever being held twice. The file is a ring of slots,
 * some more than there are segments; with each step every segment moves back by the spare slots. So the next values of a
 * segment go where another's were that has moved already, and a crash leaves either the old ones or both. Pure.
 */
export interface Ring {
  segments: number;
  /** Segments that are written before what they leave behind is given up: the ring's spare slots hold two batches. */
  batch: number;
}

export function ringOf(segments: number, batches: number): Ring {
  return { segments, batch: Math.ceil(segments / batches) };
}

/** Slots of the file. */
export function ringSlots({ segments, batch }: Ring): number {
  return segments + 2 * batch;
}

/** The slot of a segment after so many steps. */
export function slotOf(ring: Ring, segment: number, step: number): number {
  const slots = ringSlots(ring);
  const place = (segment - 2 * ring.batch * (step % slots)) % slots;
  return place < 0 ? place + slots : place;
}
