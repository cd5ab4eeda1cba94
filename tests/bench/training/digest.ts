/** Loss and gradients in so few numbers that they can be compared across browsers. */
const SAMPLES = 512;

export interface Digest {
  loss: number;
  /** Of each gradient, by the tensor's name. */
  gradients: Record<string, { norm: number; samples: number[] }>;
}

export function digestOf(loss: number, gradients: ReadonlyMap<string, Float32Array>): Digest {
  return { loss, gradients: Object.fromEntries([...gradients].map(([name, values]) => [name, summary(values)])) };
}

/** The largest difference of two engines: of the loss and the norms relative, of samples in root mean squares. */
export function difference(a: Digest, b: Digest): number {
  const names = Object.keys(a.gradients);
  if (names.toSorted().join() !== Object.keys(b.gradients).toSorted().join()) return Number.POSITIVE_INFINITY;
  const errors = names.flatMap((name) => {
    const [left, right] = [a.gradients[name]!, b.gradients[name]!];
    const scale = Math.hypot(...left.samples) / Math.sqrt(left.samples.length);
    const apart = left.samples.map((sample, index) => Math.abs(sample - right.samples[index]!) / scale);
    return [relative(left.norm, right.norm), ...apart];
  });
  return Math.max(relative(a.loss, b.loss), ...errors);
}

function summary(values: Float32Array): { norm: number; samples: number[] } {
  const step = values.length / SAMPLES;
  const samples = Array.from({ length: SAMPLES }, (_, index) => values[Math.floor(index * step)]!);
  return { norm: Math.sqrt(values.reduce((sum, value) => sum + value * value, 0)), samples };
}

function relative(a: number, b: number): number {
  return Math.abs(a - b) / Math.abs(a);
}
