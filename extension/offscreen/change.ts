import type { Settings } from '../state.ts';

/** The settings after a change. Nothing contributes before consent; an empty username asks for none. */
export function changed(settings: Settings, { username, ...change }: Partial<Settings>): Settings {
  const { username: before, ...rest } = { ...settings, ...change };
  const name = username ?? before ?? '';
  return { ...rest, ...(name !== '' && { username: name }), contributing: rest.contributing && rest.consented };
}
