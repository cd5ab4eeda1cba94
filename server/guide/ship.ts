/** `npx tsx server/guide/ship.ts DIR`: the trained model in DIR becomes the built-in one, its weights as binary16. */
import { loadConfig } from '../../shared/model/config.ts';
import { openWeights } from '../../shared/model/weights.ts';
import { loadWeights } from '../../shared/train/load.ts';
import { BUILT_IN_MODEL } from '../model/built-in.ts';
import { folderSource } from '../model/folder-source.ts';
import { tokenizerFiles } from '../train/open.ts';
import { saveModel } from '../train/save.ts';

async function ship(folder: string): Promise<void> {
  const source = folderSource(folder);
  const config = await loadConfig(source);
  const weights = await loadWeights(config, await openWeights(source));
  await saveModel(BUILT_IN_MODEL, config, weights, await tokenizerFiles(source), 'F16');
}

const folder = process.argv[2];
if (folder === undefined) throw new Error('usage: npx tsx server/guide/ship.ts DIR');
await ship(folder);
