import { type AppState, ENGINE_CHOICES, MEMORY_CHOICES_MIB, type Settings, TRAINING_CHOICES } from '../state.ts';
import { send } from '../ui/link.ts';

const ENGINE_NAMES: Record<Settings['engine'], string> = {
  auto: 'Automatic (GPU where there is one)',
  webgpu: 'GPU (WebGPU)',
  wasm: 'Processor only',
};

const TRAINING_NAMES: Record<Settings['training'], string> = {
  off: 'No',
  public: 'On public texts of the network',
  local: 'On my own texts, which stay here',
};

type Props = Pick<AppState, 'settings' | 'ownTexts'>;

/** What contributing may use of this computer. */
export function Preferences({ settings: { engine, memoryMiB, training }, ownTexts }: Props) {
  return (
    <details class="card preferences">
      <summary>What it may use</summary>
      <div class="stack tight">
        <div class="field">
          <label for="engine">Compute with</label>
          <select
            id="engine"
            value={engine}
            onChange={({ currentTarget }) =>
              send({ type: 'change', settings: { engine: currentTarget.value as Settings['engine'] } })
            }
          >
            {ENGINE_CHOICES.map((choice) => (
              <option key={choice} value={choice}>
                {ENGINE_NAMES[choice]}
              </option>
            ))}
          </select>
        </div>
        <div class="field">
          <label for="memory">Memory</label>
          <select
            id="memory"
            value={memoryMiB}
            onChange={({ currentTarget }) =>
              send({ type: 'change', settings: { memoryMiB: Number(currentTarget.value) as Settings['memoryMiB'] } })
            }
          >
            {MEMORY_CHOICES_MIB.map((mebibytes) => (
              <option key={mebibytes} value={mebibytes}>
                {memoryName(mebibytes)}
              </option>
            ))}
          </select>
          <p class="small muted">Checked before a part of a model is loaded, never after.</p>
        </div>
        <div class="field">
          <label for="training">Train models, too</label>
          <select
            id="training"
            value={training}
            onChange={({ currentTarget }) =>
              send({ type: 'change', settings: { training: currentTarget.value as Settings['training'] } })
            }
          >
            {TRAINING_CHOICES.map((choice) => (
              <option key={choice} value={choice}>
                {TRAINING_NAMES[choice]}
              </option>
            ))}
          </select>
          {training === 'local' && ownTexts === 0 && (
            <p class="small muted" role="status">
              There are none yet: add some below, under “Texts of your own”.
            </p>
          )}
        </div>
      </div>
    </details>
  );
}

function memoryName(mebibytes: number): string {
  if (mebibytes === 0) return 'Automatic (a quarter of it)';
  return mebibytes < 1024 ? `${mebibytes} MB` : `${mebibytes / 1024} GB`;
}
