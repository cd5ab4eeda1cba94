/** What a person names as a model on the command line → a folder that holds it. */
import { stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { AiloError } from '../../shared/errors/index.ts';
import { downloadHubModel } from './hub.ts';

/** What is served where nobody says otherwise: small enough for any machine, and it chats. */
export const DEFAULT_HUB_MODEL = 'HuggingFaceTB/SmolLM2-135M-Instruct';

/** Hub models that may be named without their commit. */
const PINNED: Readonly<Record<string, string>> = {
  [DEFAULT_HUB_MODEL]: '12fd25f77366fa6b3b4b768ec3050bf629380bac',
};
/** One line a tenth of a large file is news enough. */
const STEPS = 10;
const QUIET_BYTES = 10 * 2 ** 20;

export interface ResolveOptions {
  print: (line: string) => void;
  signal?: AbortSignal;
  env?: Readonly<Record<string, string | undefined>>;
  /** Where hub models are kept; `~/.ailo/models` without one. */
  modelsFolder?: string;
}

/**
 * `wished` is a folder, or a hub model `owner/name@commit` (the commit may be missing for those we pinned), which is
 * downloaded on first use. Throws USAGE for what is neither, and the errors of `downloadHubModel`.
 */
export async function resolveModel(wished: string, options: ResolveOptions): Promise<{ dir: string }> {
  if (await isFolder(wished)) return { dir: resolve(wished) };
  const match = /^([\w.-]+\/[\w.-]+?)(?:@([0-9a-f]{40}))?$/.exec(wished);
  const repo = match?.[1] ?? '';
  if (match === null || /^\.{1,2}\//.test(repo)) {
    throw AiloError.of('USAGE', {
      reason: `There is no folder “${wished}”, and it is no hub model owner/name@commit.`,
    });
  }
  const revision = match[2] ?? (Object.hasOwn(PINNED, repo) ? PINNED[repo] : undefined);
  if (revision === undefined) {
    const reason = `There is no folder “${wished}”; for a hub model, add the commit: ${repo}@<40 hex digits>.`;
    throw AiloError.of('USAGE', { reason });
  }
  const dir = await downloadHubModel(
    { repo, revision },
    {
      dataFolder: options.modelsFolder ?? join(homedir(), '.ailo', 'models'),
      env: options.env ?? process.env,
      onProgress: progressLines(options.print),
      ...(options.signal !== undefined && { signal: options.signal }),
    },
  );
  return { dir };
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch {
    return false;
  }
}

/** Says each tenth of a large file once, and nothing of what was there already. */
function progressLines(print: (line: string) => void): (path: string, loaded: number, total: number) => void {
  const said = new Map<string, number>();
  return (path, loaded, total) => {
    const step = Math.floor((STEPS * loaded) / total);
    const before = said.get(path);
    said.set(path, step);
    if (total < QUIET_BYTES || step === (before ?? STEPS)) return;
    print(`Downloading ${path}: ${Math.round(loaded / 1e6)} of ${Math.round(total / 1e6)} MB`);
  };
}
