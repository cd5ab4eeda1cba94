/** One trial: a node cheats, is asked until it is caught or the questions are over, and the answers are compared. */
import type { Trust } from '../../../server/coordinator/honesty/trust.ts';
import { seededRandom } from '../../../shared/sampler/random.ts';
import { type Attack, cheatingRuntime } from './attacks.ts';
import { type Answer, createNetwork, type NetworkOptions } from './network.ts';

export interface TrialOptions extends Pick<NetworkOptions, 'modelDir' | 'chunksDir' | 'quant' | 'stages'> {
  attack: Attack;
  seed: number;
  /** Of the cheat's answers, those it spoils. */
  share: number;
  trust?: Trust;
  /** What honest nodes answer, by question. */
  expected: readonly Answer[];
  maxRequests: number;
}

export interface Trial {
  /** Requests up to the one in which it was caught; undefined: not within `maxRequests`. */
  requests?: number;
  /** Answers that came out wrong at the end, and those that were put right before. */
  wrong: number;
  corrected: number;
  earnedMicroAlc: number;
  /** Honest nodes that anything was held against. */
  accused: number;
  /** Answers that it took part in and that it spoiled. */
  spoiled: number;
}

export async function runTrial(options: TrialOptions): Promise<Trial> {
  const { attack, seed, share, stages, expected, maxRequests, trust } = options;
  const random = seededRandom(seed);
  const uniform = () => random() / 2 ** 32;
  const stage = attack === 'wrong tokens' ? stages - 1 : Math.floor(uniform() * stages);
  const spoiled = new Set<string>();
  const onCheat = (sequence: string) => spoiled.add(sequence);
  const network = await createNetwork({
    ...options,
    holders: Array.from({ length: stages }, (_, i) => (i === stage ? 3 : 2)),
    cheat: {
      stage,
      runtime: (honest) => cheatingRuntime(honest, { attack, share, uniform, onCheat }),
      ...(trust && { trust }),
    },
  });
  try {
    let [wrong, corrected, requests] = [0, 0, 0];
    const isCaught = () => network.found.some(({ caught }) => caught.includes(network.cheater));
    while (!isCaught() && requests < maxRequests) {
      const answer = await network.ask(requests);
      if (answer.text !== expected[requests]!.text) wrong++;
      else if (answer.rewound > 0) corrected++;
      requests++;
    }
    const caught = isCaught();
    // Once more, without it.
    if (caught && (await network.ask(requests)).text !== expected[requests]!.text) wrong++;
    const parties = network.found.flatMap((each) => [...each.caught, ...each.silent, ...each.disputed.flat()]);
    return {
      ...(caught && { requests }),
      wrong,
      corrected,
      earnedMicroAlc: await network.earnedMicroAlc(network.cheater),
      accused: new Set(parties.filter((node) => node !== network.cheater)).size,
      spoiled: spoiled.size,
    };
  } finally {
    await network.close();
  }
}

/** What a network of honest nodes answers, and how long that takes with and without checks. */
export async function honestAnswers(
  options: Pick<TrialOptions, 'modelDir' | 'chunksDir' | 'quant' | 'stages'>,
  count: number,
  holders: number,
): Promise<{ answers: Answer[]; accused: number }> {
  const network = await createNetwork({ ...options, holders: Array<number>(options.stages).fill(holders) });
  try {
    const answers: Answer[] = [];
    for (let n = 0; n < count; n++) answers.push(await network.ask(n));
    return { answers, accused: network.found.length };
  } finally {
    await network.close();
  }
}
