import type { Llama3RopeScaling, ModelConfig } from '../model/types.ts';

/**
 * cos or sin of the angle by which RoPE (Su et al. 2021) turns pair i at position p: float32 [positions, headDim / 2].
 */
export function ropeTable(config: ModelConfig, part: 'cos' | 'sin', positions: number): Float32Array {
  const frequencies = ropeFrequencies(config);
  const table = new Float32Array(positions * frequencies.length);
  for (let position = 0; position < positions; position++) {
    for (const [pair, frequency] of frequencies.entries()) {
      table[position * frequencies.length + pair] = Math[part](position * frequency);
    }
  }
  return table;
}

/** Radians per position, [headDim / 2]. */
function ropeFrequencies({ rope, headDim }: ModelConfig): number[] {
  if (!rope) throw new RangeError('the model has no rotary positions');
  const { theta, scaling } = rope;
  const frequencies = Array.from({ length: headDim / 2 }, (_, pair) => theta ** ((-2 * pair) / headDim));
  return scaling ? frequencies.map((frequency) => llama3Scaled(frequency, scaling)) : frequencies;
}

/** Llama 3.1: long wavelengths are stretched by `factor`, short ones kept, those between blended. */
function llama3Scaled(frequency: number, scaling: Llama3RopeScaling): number {
  const { factor, lowFrequencyFactor, highFrequencyFactor, originalMaxPositions } = scaling;
  const wavelength = (2 * Math.PI) / frequency;
  if (wavelength < originalMaxPositions / highFrequencyFactor) return frequency;
  if (wavelength > originalMaxPositions / lowFrequencyFactor) return frequency / factor;
  const kept = (originalMaxPositions / wavelength - lowFrequencyFactor) / (highFrequencyFactor - lowFrequencyFactor);
  return (1 - kept) * (frequency / factor) + kept * frequency;
}
