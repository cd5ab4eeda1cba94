import type { Training } from '../../shared/node/types.ts';
import { megabytes } from '../ui/format.ts';

/** What this computer trains at the moment. */
export function TrainingJob({ training }: { training: Training }) {
  if (!('campaign' in training) || training.campaign === undefined) return null;
  return (
    <section class="card stack tight" aria-labelledby="training-title">
      <h2 id="training-title" class="small muted">
        This computer trains
      </h2>
      <p data-testid="training">
        {training.campaign}
        {'rounds' in training && `, round ${training.round + 1} of ${training.rounds}`}
      </p>
      <Progress training={training} />
    </section>
  );
}

/** Of a hash: enough to see that all have the same. */
const SHOWN_DIGITS = 8;

function Progress({ training }: { training: Training }) {
  switch (training.kind) {
    case 'learning': {
      const { step, steps, loss } = training;
      const label = `Step ${step} of ${steps}`;
      return (
        <>
          <progress value={step / steps} max={1} aria-label={label} />
          <p class="small muted figures">
            {label}
            {loss !== undefined && `, loss ${loss.toFixed(3)}`}
          </p>
        </>
      );
    }
    case 'sending':
      return <p class="small muted figures">Sending what it learned: {megabytes(training.bytes)}.</p>;
    case 'preparing':
      return <p class="small muted">Fetching weights and text.</p>;
    case 'waiting':
      return (
        <p class="small muted">
          Waiting for the others of this round
          {training.weights && (
            <>
              . Weights{' '}
              <code data-testid="weights" title={training.weights}>
                {training.weights.slice(0, SHOWN_DIGITS)}
              </code>
            </>
          )}
        </p>
      );
    case 'off':
      return null;
  }
}
