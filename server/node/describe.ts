import { formatAlc } from '../../shared/ledger/money.ts';
import { durationInWords } from '../../shared/node/remaining.ts';
import type { Activity, NodeState, Training } from '../../shared/node/types.ts';

/** What a person at a terminal is told of a state: one line for each aspect, whose change is worth telling. */
export function describe(state: NodeState): {
  connection: string;
  activity: string;
  training: string;
  account: string;
  error: string;
} {
  const { account, error } = state;
  return {
    connection: describeConnection(state),
    // Without a connection there is nothing to wait for but that.
    activity:
      state.connection !== 'connected' && state.activity.kind === 'waiting' ? '' : describeActivity(state.activity),
    training: describeTraining(state.training),
    account: account
      ? `Balance: ${formatAlc(BigInt(account.availableMicroAlc))} ALC, earned today: ${formatAlc(BigInt(account.earnedTodayMicroAlc))} ALC`
      : '',
    error: error?.message ?? '',
  };
}

function describeConnection({ connection, address, username }: NodeState): string {
  if (connection === 'connecting') return 'Connecting …';
  if (connection === 'connected') return `Connected as ${username ? `${username}, ` : ''}${address}`;
  return connection === 'stopped' ? 'Disconnected' : '';
}

function describeActivity(activity: Activity): string {
  switch (activity.kind) {
    case 'off':
      return 'Not contributing';
    case 'measuring':
      return 'Measuring this machine …';
    case 'waiting':
      return 'Waiting for a part of a model';
    case 'loading': {
      const { loadedBytes, totalBytes, remainingMs } = activity;
      // In tenths, so that a large model is not a line for each of its weights.
      const percent = totalBytes > 0 ? 10 * Math.floor((10 * loadedBytes) / totalBytes) : 0;
      const left = remainingMs === undefined ? '' : `, ${durationInWords(remainingMs)} left`;
      return `Loading ${part(activity)}: ${percent} %${left}`;
    }
    case 'ready':
      return `Ready with ${part(activity)}; answers so far: ${activity.jobsDone}`;
    case 'working':
      return `Answering with ${part(activity)}`;
  }
}

function describeTraining(training: Training): string {
  switch (training.kind) {
    case 'off':
      return '';
    case 'waiting':
      return 'Waiting for a round of training';
    case 'preparing':
      return `Preparing round ${training.round + 1} of ${training.campaign}`;
    case 'learning': {
      const { campaign, round, rounds, step, steps, loss } = training;
      // In tenths, so that a long round is not a line for each of its steps.
      if (step % Math.ceil(steps / 10) !== 0) return '';
      const measured = loss === undefined ? '' : `, loss ${loss.toFixed(3)}`;
      return `Learning for ${campaign}: round ${round + 1} of ${rounds}, step ${step} of ${steps}${measured}`;
    }
    case 'sending':
      return `Sending what was learned: ${training.bytes} bytes`;
  }
}

function part({ model, stage, stages }: { model: string; stage: number; stages: number }): string {
  return `part ${stage + 1} of ${stages} of ${model}`;
}
