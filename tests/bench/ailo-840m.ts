import type { ParameterSpace, SpaceTensor } from '../../shared/train/codec/space.ts';

/** The shapes of GPT-2's architecture with a tied head. */
export function gpt2Space(layers: number, width: number, vocabulary: number, context: number): ParameterSpace {
  const norm = (name: string): SpaceTensor[] => [
    { name: `${name}.weight`, shape: [width] },
    { name: `${name}.bias`, shape: [width] },
  ];
  const dense = (name: string, rows: number, columns: number): SpaceTensor[] => [
    { name: `${name}.weight`, shape: [rows, columns] },
    { name: `${name}.bias`, shape: [columns] },
  ];
  const layer = (i: number): SpaceTensor[] => [
    ...norm(`h.${i}.ln_1`),
    ...dense(`h.${i}.attn.c_attn`, width, 3 * width),
    ...dense(`h.${i}.attn.c_proj`, width, width),
    ...norm(`h.${i}.ln_2`),
    ...dense(`h.${i}.mlp.c_fc`, width, 4 * width),
    ...dense(`h.${i}.mlp.c_proj`, 4 * width, width),
  ];
  return [
    { name: 'wte.weight', shape: [vocabulary, width] },
    { name: 'wpe.weight', shape: [context, width] },
    ...Array.from({ length: layers }, (_, i) => layer(i)).flat(),
    ...norm('ln_f'),
  ];
}

export const AILO_840M = gpt2Space(24, 1600, 50_257, 2048);
