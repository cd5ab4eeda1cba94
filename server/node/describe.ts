import { formatAlc } from '../../shared/ledger/money.ts';
import type { Activity, NodeState } from '../../shared/node/types.ts';

/** What a person at a terminal is told of a state: one line for each aspect, whose change is worth telling. */
export function describe(state: NodeState): { connection: string; activity: string; account: string; error: string } {
  const { account, error } = state;
  return {
    connection: describeConnection(state),
    // Without a connection there is nothing to wait for but that.
    activity:
      state.connection !== 'connected' && state.activity.kind === 'waiting' ? '' : describeActivity(state.activity),
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
      const { loadedBytes, totalBytes } = activity;
      // In tenths, so that a large model is not a line for each of its weights.
      const percent = totalBytes > 0 ? 10 * Math.floor((10 * loadedBytes) / totalBytes) : 0;
      return `Loading ${part(activity)}: ${percent} %`;
    }
    case 'ready':
      return `Ready with ${part(activity)}; answers so far: ${activity.jobsDone}`;
    case 'working':
      return `Answering with ${part(activity)}`;
  }
}

function part({ model, stage, stages }: { model: string; stage: number; stages: number }): string {
  return `part ${stage + 1} of ${stages} of ${model}`;
}
