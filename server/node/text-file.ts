import { mkdir, readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import * as v from 'valibot';
import { AiloError } from '../../shared/errors/index.ts';
import { parseJson } from '../../shared/model/json.ts';
import type { LocalTexts } from '../../shared/node/local-texts.ts';
import { MAX_TEXT_BYTES } from '../../shared/train/limits.ts';
import { writeDurably } from '../write-durably.ts';

/** What a text was used for, round by round. */
const Uses = v.array(v.object({ campaign: v.string(), round: v.number(), timeMs: v.number() }));
type Uses = v.InferOutput<typeof Uses>;

/**
 * A text file, read anew each time, and beside it in `usesPath` what it was used for. All throw TEXT_FILE_INVALID.
 */
export function textFile(path: string, usesPath: string, now: () => number): LocalTexts {
  const invalid = (reason: string, cause?: unknown) => AiloError.of('TEXT_FILE_INVALID', { path, reason }, cause);

  async function uses(): Promise<Uses> {
    let bytes: Uint8Array;
    try {
      bytes = await readFile(usesPath);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
    const damaged = (reason: string) => invalid(`what is noted of it in ${usesPath} is damaged: ${reason}`);
    return parseJson(Uses, bytes, damaged);
  }

  return {
    async read() {
      try {
        const { size } = await stat(path);
        if (size > MAX_TEXT_BYTES) throw invalid(`it has ${size} bytes, more than the ${MAX_TEXT_BYTES} allowed`);
        const text = await readFile(path, 'utf8');
        return text === '' ? [] : [text];
      } catch (error) {
        throw error instanceof AiloError ? error : invalid((error as Error).message, error);
      }
    },
    async roundsOf(campaign) {
      return (await uses()).filter((use) => use.campaign === campaign).length;
    },
    async note(campaign, round) {
      const noted = [...(await uses()), { campaign, round, timeMs: now() }];
      await mkdir(dirname(usesPath), { recursive: true });
      await writeDurably(usesPath, `${JSON.stringify(noted, null, 2)}\n`);
    },
  };
}
