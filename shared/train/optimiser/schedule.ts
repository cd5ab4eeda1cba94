/** A learning rate that rises over `warmup` steps to `peak` and falls as a half cosine to `floor` at step `total`. */
export interface Schedule {
  peak: number;
  floor: number;
  warmup: number;
  total: number;
}

/** The learning rate of a step, the first of which is 0 (as in nanoGPT). */
export function learningRateAt(step: number, { peak, floor, warmup, total }: Schedule): number {
  if (step < warmup) return (peak * (step + 1)) / (warmup + 1);
  if (step >= total) return floor;
  const progress = (step - warmup) / (total - warmup);
  return floor + 0.5 * (1 + Math.cos(Math.PI * progress)) * (peak - floor);
}
