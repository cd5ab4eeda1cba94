import type { CampaignLoss } from '../../shared/protocol/http.ts';

/** Room for half of the line, so that it is not cut at its highest and lowest. */
const MARGIN = 2;

/** The losses (two at least, in the order of their rounds) as a line in an SVG of `width` × `height`: high is much. */
export function lossPath(losses: readonly CampaignLoss[], width: number, height: number): string {
  const values = losses.map(({ loss }) => loss);
  const [most, least] = [Math.max(...values), Math.min(...values)];
  const first = losses[0]!.round;
  const rounds = losses.at(-1)!.round - first;
  const points = losses.map(({ round, loss }) => {
    const depth = most > least ? (most - loss) / (most - least) : 1 / 2;
    return `${figure(((round - first) / rounds) * width)} ${figure(MARGIN + depth * (height - 2 * MARGIN))}`;
  });
  return `M${points.join('L')}`;
}

function figure(value: number): string {
  return String(Math.round(value * 10) / 10);
}
