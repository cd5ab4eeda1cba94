/** Nodes that cheat: a real runtime whose stages compute, and then give something else. */
import type { WeightSpec } from '../../../shared/graph/types.ts';
import type { LoadedStage, Runtime, StageOutput, StageStep } from '../../../shared/runtime/types.ts';

export const ATTACKS = [
  'noise',
  'scaled by 1.05',
  'scaled by 2',
  'another stage',
  'stale',
  'idle',
  'one wrong row',
  'wrong tokens',
] as const;
export type Attack = (typeof ATTACKS)[number];

/** `uniform` in [0, 1): which requests are cheated, and what noise is made of. */
export interface Cheating {
  attack: Attack;
  /** Of the answers, the share that is cheated. */
  share: number;
  uniform(): number;
  /** Told of each answer that is cheated. */
  onCheat(sequence: string): void;
}

export function cheatingRuntime(honest: Runtime, cheating: Cheating): Runtime {
  return {
    ...honest,
    async load(graph, read, options) {
      const isElsewhere = cheating.attack === 'another stage';
      const stage = await honest.load(graph, isElsewhere ? (weight) => read(ofAnotherLayer(weight)) : read, options);
      return isElsewhere ? tell(stage, cheating) : cheatingStage(stage, cheating);
    },
  };
}

/** The weights of the layer before, or after the first one. */
function ofAnotherLayer(weight: WeightSpec): WeightSpec {
  const moved = (name: string) =>
    name.replace(/\.(\d+)\./, (_, layer: string) => `.${Number(layer) === 0 ? 1 : Number(layer) - 1}.`);
  const { recipe } = weight;
  switch (recipe.kind) {
    case 'copy':
      return { ...weight, recipe: { ...recipe, tensors: recipe.tensors.map(moved) } };
    case 'matrix':
    case 'int8':
    case 'int4': {
      const source = { ...recipe.source, tensors: recipe.source.tensors.map(moved) };
      return { ...weight, recipe: { ...recipe, source } };
    }
    default:
      return weight;
  }
}

function tell(stage: LoadedStage, { onCheat }: Cheating): LoadedStage {
  return changed(stage, ({ sequence }) => onCheat(sequence));
}

function cheatingStage(stage: LoadedStage, cheating: Cheating): LoadedStage {
  /** Of each sequence whether it is cheated, and the last row that came out. */
  const sequences = new Map<string, { isCheated: boolean; steps: number; last?: Float32Array }>();
  return changed(stage, (step, output) => {
    if (output.rows === 0) return;
    const known = sequences.get(step.sequence) ?? { isCheated: cheating.uniform() < cheating.share, steps: 0 };
    sequences.set(step.sequence, known);
    known.steps++;
    const last = output.data.slice(-output.data.length / output.rows);
    if (known.isCheated) {
      cheating.onCheat(step.sequence);
      output.data.set(corrupted(output, step, { ...known, ...cheating }));
    }
    known.last = last;
  });
}

/** The stage, with what `change` makes of each output in place. */
function changed(stage: LoadedStage, change: (step: StageStep, output: StageOutput) => void): LoadedStage {
  return {
    lanes: stage.lanes,
    async run(steps) {
      const outputs = await stage.run(steps);
      for (const [i, step] of steps.entries()) change(step, outputs[i]!);
      return outputs;
    },
    drop: (sequence) => stage.drop(sequence),
    release: () => stage.release(),
  };
}

type Corruption = Pick<Cheating, 'attack' | 'uniform'> & { steps: number; last?: Float32Array };

function corrupted(
  output: StageOutput,
  { input }: StageStep,
  { attack, uniform, steps, last }: Corruption,
): Float32Array {
  const { data } = output;
  switch (attack) {
    case 'noise':
      return noise(data, uniform);
    case 'scaled by 1.05':
      return scaled(data, 1.05);
    case 'scaled by 2':
      return scaled(data, 2);
    case 'stale':
      return last ? previous(data, last) : data;
    case 'idle':
      // What came in, as if the stage were not there; the first and the last stage cannot.
      return input.kind === 'hidden' && output.kind === 'hidden' ? input.data : scaled(data, 1.5);
    case 'one wrong row':
      return steps === 3 ? scaled(data, 1.05) : data;
    case 'wrong tokens':
      if (output.kind === 'hidden') return scaled(data, 1.05);
      return uniform() < 0.2 ? secondChoice(data) : data;
    case 'another stage':
      return data;
  }
}

/** Each row is the one that was due before it. */
function previous(data: Float32Array, last: Float32Array): Float32Array {
  const rows = new Float32Array(data.length);
  rows.set(last);
  rows.set(data.subarray(0, data.length - last.length), last.length);
  return rows;
}

function secondChoice(logits: Float32Array): Float32Array {
  return logits.with(largestOf(logits), Number.NEGATIVE_INFINITY);
}

function scaled(data: Float32Array, by: number): Float32Array {
  return data.map((value) => value * by);
}

/** Normal, of the same size as the values. */
function noise(data: Float32Array, uniform: () => number): Float32Array {
  const size = Math.sqrt(data.reduce((sum, value) => sum + value ** 2, 0) / data.length);
  return data.map(() => size * Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()));
}

function largestOf(data: Float32Array): number {
  return data.reduce((best, value, i) => (value > data[best]! ? i : best), 0);
}
