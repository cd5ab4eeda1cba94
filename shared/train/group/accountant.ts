/** What noise is worth: the ε of differential privacy after so many sums. */

const LARGEST_ORDER = 2 ** 20;
const ORDER_RATIO = 1.02;

/**
 * ε at `delta` for a worker whose updates were in so many `sums`, each of norm at most C and with Gaussian noise of
 * deviation `multiplier` · C in the sum; neighbours are with and without all of the worker's text.
 *
 * Each sum is (α, α / 2z²)-RDP (Mironov, “Rényi Differential Privacy”, 2017, Prop. 7; the discrete Gaussian is, too:
 * Canonne, Kamath & Steinke 2020, Thm. 4, and sums of such within 10^-100 of it at our deviations: Kairouz, Liu &
 * Steinke, “The Distributed Discrete Gaussian Mechanism”, 2021, Thm. 1). Sums add up, and (α, ρ) gives
 *
 *     ε = ρ + log((α − 1) / α) − (log δ + log α) / (α − 1)
 *
 * (Canonne, Kamath & Steinke 2020, Prop. 12), of which the least over α counts.
 */
export function epsilonOf({ multiplier, sums, delta }: { multiplier: number; sums: number; delta: number }): number {
  const perOrder = sums / (2 * multiplier * multiplier);
  let least = Number.POSITIVE_INFINITY;
  for (let excess = 2 ** -20; excess < LARGEST_ORDER; excess *= ORDER_RATIO) {
    const order = 1 + excess;
    const epsilon = order * perOrder + Math.log(excess / order) - (Math.log(delta) + Math.log(order)) / excess;
    least = Math.min(least, epsilon);
  }
  return Math.max(0, least);
}
