import type { Training } from '../../shared/node/types.ts';
import { megabytes } from '../ui/format.ts';
import { modeSentence } from './campaign-mode.ts';
import { JobCard, JobProgress } from './job-card.tsx';
import { LossCurve } from './loss-curve.tsx';
import { useCampaign } from './use-campaign.ts';

/** What this computer trains at the moment, or why it does not. */
export function TrainingJob({ training }: { training: Training }) {
  if (training.kind === 'off' && training.error) {
    return (
      <JobCard id="training" title="This computer does not train">
        <p role="status">{training.error.message}</p>
      </JobCard>
    );
  }
  if (!('campaign' in training) || training.campaign === undefined) return null;
  return <CampaignJob campaign={training.campaign} training={training} />;
}

function CampaignJob({ campaign, training }: { campaign: string; training: Training }) {
  const summary = useCampaign(campaign, versionOf(training));
  const round = 'rounds' in training ? `, round ${training.round + 1} of ${training.rounds}` : '';
  return (
    <JobCard id="training" title="This computer trains" what={campaign + round}>
      <Progress training={training} />
      {summary && (
        <>
          <p class="small muted" data-testid="mode">
            {modeSentence(summary)}
          </p>
          <LossCurve losses={summary.losses} />
        </>
      )}
    </JobCard>
  );
}

/** Moves when the campaign does. */
function versionOf(training: Training): string {
  if ('round' in training) return `round ${training.round}`;
  return 'weights' in training ? `weights ${training.weights}` : '';
}

/** Of a hash: enough to see that all have the same. */
const SHOWN_DIGITS = 8;

function Progress({ training }: { training: Training }) {
  switch (training.kind) {
    case 'learning': {
      const { step, steps, loss } = training;
      const shown = loss === undefined ? '' : `, loss ${loss.toFixed(3)}`;
      return <JobProgress share={step / steps} label={`Step ${step} of ${steps}${shown}`} />;
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
