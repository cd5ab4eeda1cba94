import { durationInWords } from '../../shared/node/remaining.ts';
import type { Activity, LinkStatus, NodeState } from '../../shared/node/types.ts';
import { size } from '../ui/format.ts';
import { JobCard, JobProgress } from './job-card.tsx';

/** The stage this computer holds, and what runs through it. */
export function CurrentJob({ node: { activity, models, connection, links } }: { node: NodeState }) {
  if (!('model' in activity)) return null;
  const name = models.find(({ id }) => id === activity.model)?.name ?? activity.model;
  return (
    <JobCard
      id="stage"
      title="This computer holds"
      what={`Part ${activity.stage + 1} of ${activity.stages} of ${name}`}
    >
      <StageMap stage={activity.stage} stages={activity.stages} />
      <Progress activity={activity} isConnected={connection === 'connected'} />
      {activity.kind === 'working' && links?.length ? <Links links={links} /> : null}
    </JobCard>
  );
}

/** How what is computed here reaches the neighbours. */
function Links({ links }: { links: LinkStatus[] }) {
  return (
    <p class="small muted figures" data-testid="links">
      {links
        .map((link) => (link.way === 'direct' ? `Neighbour linked directly${time(link)}` : 'Neighbour by relay'))
        .join(' · ')}
    </p>
  );
}

function time({ roundTripMs }: LinkStatus): string {
  return roundTripMs === undefined ? '' : `, ${roundTripMs.toFixed(1)} ms`;
}

/** More bars than this are thinner than a pixel pair. */
const MAX_BARS = 60;

function StageMap({ stage, stages }: { stage: number; stages: number }) {
  if (stages > MAX_BARS) return null;
  return (
    <div class="stage-map" aria-hidden="true">
      {Array.from({ length: stages }, (_, i) => (
        <span key={i} class={i === stage ? 'held' : ''} />
      ))}
    </div>
  );
}

interface ProgressProps {
  activity: Extract<Activity, { model: string }>;
  isConnected: boolean;
}

function Progress({ activity, isConnected }: ProgressProps) {
  switch (activity.kind) {
    case 'loading': {
      const { loadedBytes, totalBytes, remainingMs } = activity;
      const left = remainingMs === undefined ? '' : `, ${durationInWords(remainingMs)} left`;
      const label = totalBytes > 0 ? `${size(loadedBytes)} of ${size(totalBytes)} loaded${left}` : 'Loading…';
      return <JobProgress share={totalBytes > 0 ? loadedBytes / totalBytes : undefined} label={label} />;
    }
    case 'working': {
      const step = activity.steps.toLocaleString('en');
      const { jobs } = activity;
      return <JobProgress label={jobs > 1 ? `${jobs} answers at once, the newest at step ${step}` : `Step ${step}`} />;
    }
    case 'ready':
      return <p class="small muted">Loaded and waiting for the {isConnected ? 'next question' : 'connection'}.</p>;
  }
}
