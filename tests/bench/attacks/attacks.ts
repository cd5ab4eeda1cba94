/** `npm run bench -- attacks`: what liars among the workers of a campaign cost it, and what they earn. */
import { rm, writeFile } from 'node:fs/promises';
import { type Cli, type Command, choice, integer, string } from '../../../server/cli.ts';
import { ATTACK_NAMES, type Attack } from '../../../server/train/attackers.ts';
import { readText } from '../../../server/train/open.ts';
import { formatAlc } from '../../../shared/ledger/money.ts';
import { HONEST_ROUNDS, type Outcome, runCampaign } from './run.ts';
import { openWorld, WORKERS, type World } from './world.ts';

export const attacks: Command = {
  options: {
    data: { type: 'string', value: 'FILE', description: 'the text (required)' },
    rounds: { type: 'string', value: 'R', description: 'rounds of each run (14)' },
    'local-steps': { type: 'string', value: 'H', description: 'steps of a round (10)' },
    attack: { type: 'string', value: 'KIND,…', description: `only these: ${ATTACK_NAMES.join(', ')}` },
    liars: { type: 'string', value: 'N,…', description: `so many of ${WORKERS} (1,2,3)` },
    measured: { type: 'string', value: 'FILE', description: 'write here what was measured of every update, as JSON' },
  },

  async run(values, cli) {
    const rounds = integer(values, 'rounds', { min: 2, max: 1000, default: 14 });
    const localSteps = integer(values, 'local-steps', { min: 1, max: 1000, default: 10 });
    const wanted = string(values, 'attack', ATTACK_NAMES.join(',')).split(',');
    const kinds = wanted.map((attack) => choice({ attack }, 'attack', ATTACK_NAMES, 'flip'));
    const numbers = string(values, 'liars', '1,2,3')
      .split(',')
      .map((liars) => integer({ liars }, 'liars', { min: 1, max: WORKERS - 1, default: 1 }));
    const world = await openWorld(await readText(string(values, 'data')), { rounds, localSteps }, cli.signal);
    try {
      const { honest, table, outcomes } = await compare(world, kinds, numbers, cli);
      if (values.measured !== undefined) await writeFile(string(values, 'measured'), JSON.stringify(outcomes, asText));
      cli.result({ benchmark: 'attacks', rounds, localSteps, workers: WORKERS, ...honest, table });
    } finally {
      await rm(world.folder, { recursive: true, force: true });
    }
  },
};

/** Without a lie first, then each attack with each number of liars. */
async function compare(world: World, kinds: readonly Attack[], numbers: readonly number[], cli: Cli) {
  const honest = await runCampaign(world, 0, undefined, cli.signal);
  const earned = honest.honestMicroAlc / BigInt(WORKERS);
  cli.print(`honest: loss ${honest.loss.toFixed(4)}, each earns ${alc(earned)}, refused ${told(honest.accused)}`);
  const table: object[] = [];
  const outcomes: object[] = [{ attack: null, liars: 0, ...honest }];
  for (const liars of numbers) {
    for (const attack of kinds) {
      const outcome = await runCampaign(world, liars, attack, cli.signal);
      const costPercent = Number((100 * (outcome.loss / honest.loss - 1)).toFixed(2));
      table.push({ attack, liars, costPercent, ...rowOf(outcome) });
      outcomes.push({ attack, liars, ...outcome });
      const lies = liars * (world.campaign.rounds - HONEST_ROUNDS);
      cli.print(
        `${attack} ${liars}/${WORKERS}: loss ${outcome.loss.toFixed(4)} (${costPercent} %), liars earn ` +
          `${alc(outcome.liarMicroAlc)}, of ${lies} lies refused ${told(outcome.refused)}; honest refused ${told(outcome.accused)}`,
      );
    }
  }
  return { honest: rowOf(honest), table, outcomes };
}

function rowOf({ loss, liarMicroAlc, honestMicroAlc, refused, accused }: Outcome) {
  const money = { liarMicroAlc: String(liarMicroAlc), honestMicroAlc: String(honestMicroAlc) };
  return { loss: Number(loss.toFixed(4)), ...money, refused, accused };
}

function told(reasons: Record<string, number>): string {
  const all = Object.entries(reasons);
  if (all.length === 0) return '0';
  return all.map(([reason, count]) => `${count} (${reason})`).join(', ');
}

const alc = (microAlc: bigint) => `${formatAlc(microAlc)} ALC`;
const asText = (_key: string, value: unknown) => (typeof value === 'bigint' ? String(value) : value);
