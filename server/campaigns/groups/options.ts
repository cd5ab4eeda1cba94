/** How `ailo campaign create` is told that a campaign learns from texts of the workers' own. */
import type { LocalData } from '../../../shared/train/campaign/campaign.ts';
import { BLOCK_VALUES } from '../../../shared/train/codec/limits.ts';
import {
  GROUP_DOWNLINK_KEEP,
  GROUP_UPDATE_BYTES,
  MAX_GROUP,
  MAX_NOISE_MULTIPLIER,
  MIN_GROUP,
  MIN_NOISE_MULTIPLIER,
} from '../../../shared/train/group/limits.ts';
import { integer, number, type Option, usage, type Values } from '../../cli.ts';

const DEFAULTS = { groupSize: 4, delta: 1e-6 };
/** Of a noisy campaign: a quarter of its sums may be refused, or fail when they were seen already. */
const SPARE_SUMS = 1.25;
const OF_GROUPS = ['group-size', 'threshold', 'keep', 'clip', 'noise', 'delta'];

export const groupOptions: Record<string, Option> = {
  local: {
    type: 'boolean',
    description: 'workers learn from texts of their own, which stay with them; --data only tells how well',
  },
  'group-size': {
    type: 'string',
    value: 'N',
    description: `updates are only seen as sums of so many (${DEFAULTS.groupSize})`,
  },
  threshold: {
    type: 'string',
    value: 'N',
    description: 'of them, so many must stay to the end (just over two thirds)',
  },
  keep: {
    type: 'string',
    value: 'N',
    description: `values of a block of ${BLOCK_VALUES} that are summed in a round, all in turn (what makes 16 MB)`,
  },
  clip: { type: 'string', value: 'X', description: 'norm of an update at most (default: what the steps can reach)' },
  noise: { type: 'string', value: 'Z', description: 'Gaussian noise in a sum, in clips; default none' },
  delta: { type: 'string', value: 'D', description: `for which the noise's epsilon is told (${DEFAULTS.delta})` },
};

export interface LocalSettings {
  local: LocalData;
  uplinkKeep: number;
  downlinkKeep: number;
  /** Sums are few and have no strangers' places in them: the plain mean is the best of them. */
  aggregator: 'mean';
}

/**
 * Undefined for a campaign of public texts. The clip by default is what AdamW's steps reach at the peak rate if all
 * `parameters` went the same way all the time, so that it only ever cuts what no honest step makes. Throws USAGE.
 */
export function localSettings(
  values: Values,
  { parameters, peak, localSteps, rounds }: { parameters: number; peak: number; localSteps: number; rounds: number },
): LocalSettings | undefined {
  if (values.local !== true) {
    const meaningless = OF_GROUPS.find((name) => values[name] !== undefined);
    if (meaningless) throw usage(`--${meaningless} is for campaigns with --local`);
    return undefined;
  }
  if (values.noise !== undefined && values.clip === undefined) {
    throw usage('--noise needs --clip: it is as large as what it hides may be');
  }
  const groupSize = integer(values, 'group-size', { min: MIN_GROUP, max: MAX_GROUP / 2, default: DEFAULTS.groupSize });
  const least = Math.floor((2 * groupSize) / 3) + 1;
  const threshold = integer(values, 'threshold', { min: least, max: groupSize, default: least });
  const clip = number(values, 'clip', { min: 1e-9, max: 1e9, default: peak * localSteps * Math.sqrt(parameters) });
  const noise = values.noise !== undefined && {
    multiplier: number(values, 'noise', { min: MIN_NOISE_MULTIPLIER, max: MAX_NOISE_MULTIPLIER, default: 1 }),
    delta: number(values, 'delta', { min: 1e-300, max: 0.1, default: DEFAULTS.delta }),
    sums: Math.ceil(SPARE_SUMS * rounds),
  };
  return {
    local: { mode: 'local', groupSize, threshold, clip, ...(noise && { noise }) },
    uplinkKeep: integer(values, 'keep', { min: 1, max: BLOCK_VALUES, default: keepOf(parameters) }),
    downlinkKeep: GROUP_DOWNLINK_KEEP,
    aggregator: 'mean',
  };
}

/** Values of a block that make GROUP_UPDATE_BYTES of an update, or all. */
function keepOf(parameters: number): number {
  const share = GROUP_UPDATE_BYTES / 4 / parameters;
  return Math.max(1, Math.min(BLOCK_VALUES, Math.floor(share * BLOCK_VALUES)));
}

/** What is promised, for a terminal. */
export function describePromise({
  threshold,
  noise,
}: {
  threshold: number;
  noise?: { epsilon: number; delta: number };
}) {
  const worth =
    noise &&
    `; after as many sums as a worker may be in, epsilon is ${noise.epsilon.toFixed(2)} at delta ${noise.delta}`;
  return `Texts stay with its workers; updates are seen as sums of at least ${threshold}${worth ?? ', without noise'}.`;
}
