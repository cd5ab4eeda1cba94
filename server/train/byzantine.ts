/** Liars among the workers of `ailo train`, as the command line says it. */
import type { CodedOptions } from '../../shared/train/federation/coded.ts';
import { usage, type Values } from '../cli.ts';
import { ATTACK_NAMES, type Attack, forge } from './attackers.ts';

type Tamper = NonNullable<CodedOptions['tamper']>;

/** Which workers lie, and how. Throws USAGE. */
export function byzantineOf(values: Values, workers: number): Tamper | undefined {
  if (values.byzantine === undefined) return undefined;
  const [, share, kind] = /^(0|1|0?\.\d+):([a-z-]+)$/.exec(String(values.byzantine)) ?? [];
  const attack = ATTACK_NAMES.find((name) => name === kind);
  if (!attack) {
    throw usage(
      `--byzantine must be a share of the workers from 0 to 1, and one of ${ATTACK_NAMES.join(', ')}: 0.25:flip`,
    );
  }
  return tamperWith(attack, Math.floor(Number(share) * workers));
}

/** The first `liars` workers attack, from the second round on: then there is something to send again. */
export function tamperWith(attack: Attack, liars: number): Tamper {
  const firsts: Uint8Array[] = [];
  return async ({ uplink, downlink, space, round, updates, published }) => {
    if (published === undefined) firsts.push(...updates);
    const sent = updates.slice();
    for (let liar = 0; liar < liars && published !== undefined; liar++) {
      const [honest, neighbour] = [updates[liar]!, updates.at(-1)!];
      const seed = round * updates.length + liar;
      const first = firsts[liar]!;
      sent[liar] = await forge(attack, { space, uplink, downlink, honest, neighbour, first, published, seed });
    }
    return sent;
  };
}
