import type { CampaignLoss } from '../../shared/protocol/http.ts';
import { lossPath } from './loss-path.ts';

const WIDTH = 320;
const HEIGHT = 56;

/** How a campaign's loss on held-out text went down, round by round. */
export function LossCurve({ losses }: { losses: CampaignLoss[] }) {
  if (losses.length < 2) return null;
  const [first, last] = [losses[0]!, losses.at(-1)!];
  const line = lossPath(losses, WIDTH, HEIGHT);
  return (
    <figure class="loss-curve small muted figures" data-testid="loss-curve">
      <figcaption>Loss of all who train, on text that nobody learns from</figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
        <path class="area" d={`${line}V${HEIGHT}H0Z`} />
        <path class="line" d={line} />
      </svg>
      <p class="row">
        <span>
          Round {first.round + 1}: {first.loss.toFixed(3)}
        </span>
        <span>
          Round {last.round + 1}: {last.loss.toFixed(3)}
        </span>
      </p>
    </figure>
  );
}
