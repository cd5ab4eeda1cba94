import { AiloError } from '../../shared/errors/index.ts';

/** The names that a comma-separated option lists, or all. Throws USAGE. */
export function among<T extends string>(
  value: string | boolean | undefined,
  all: readonly T[],
  option: string,
): readonly T[] {
  if (typeof value !== 'string') return all;
  const listed = value.split(',');
  const found = all.filter((name) => listed.includes(name));
  if (found.length !== listed.length) throw AiloError.of('USAGE', { reason: `--${option} is of ${all.join(', ')}` });
  return found;
}
