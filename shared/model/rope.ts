import * as v from 'valibot';
import { AiloError } from '../errors/index.ts';
import { parseValue } from './json.ts';
import type { ModelConfig } from './types.ts';

const positive = v.pipe(v.number(), v.finite(), v.gtValue(0));

const RopeFields = v.object({
  rope_theta: v.nullish(positive),
  partial_rotary_factor: v.nullish(v.number()),
  /** transformers before 5. */
  rope_scaling: v.nullish(v.record(v.string(), v.unknown())),
  /** transformers 5 keeps theta and scaling together. */
  rope_parameters: v.nullish(v.record(v.string(), v.unknown())),
});

const Llama3 = v.pipe(
  v.object({
    factor: v.pipe(positive, v.minValue(1)),
    low_freq_factor: positive,
    high_freq_factor: positive,
    original_max_position_embeddings: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(2 ** 24)),
  }),
  v.check((s) => s.high_freq_factor > s.low_freq_factor, 'high_freq_factor must be above low_freq_factor'),
);

const invalid = (reason: string) => AiloError.of('MODEL_CONFIG_INVALID', { reason });

/**
 * Rotary position settings of `config.json`, in the spelling of any transformers version. Throws
 * MODEL_CONFIG_INVALID for a scaling that is not Llama 3's.
 */
export function parseRope(json: unknown): NonNullable<ModelConfig['rope']> {
  const fields = parseValue(RopeFields, json, invalid);
  const parameters = fields.rope_parameters ?? fields.rope_scaling ?? {};
  const inner = parseValue(RopeFields, parameters, invalid);
  const theta = inner.rope_theta ?? fields.rope_theta ?? 10_000;
  if ((inner.partial_rotary_factor ?? fields.partial_rotary_factor ?? 1) !== 1) {
    throw invalid('it rotates only a part of each head');
  }
  const type = parameters.rope_type ?? parameters.type ?? 'default';
  if (type === 'default') return { theta };
  if (type !== 'llama3') throw invalid(`its RoPE scaling is of the unknown type “${String(type).slice(0, 40)}”`);
  const scaling = parseValue(Llama3, parameters, invalid);
  return {
    theta,
    scaling: {
      factor: scaling.factor,
      lowFrequencyFactor: scaling.low_freq_factor,
      highFrequencyFactor: scaling.high_freq_factor,
      originalMaxPositions: scaling.original_max_position_embeddings,
    },
  };
}
