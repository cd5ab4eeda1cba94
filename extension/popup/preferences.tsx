import { ENGINE_CHOICES, MEMORY_CHOICES_MIB, type Settings } from '../state.ts';
import { send } from '../ui/link.ts';

const ENGINE_NAMES: Record<Settings['engine'], string> = {
  auto: 'Automatic (GPU where there is one)',
  webgpu: 'GPU (WebGPU)',
  wasm: 'Processor only',
};

/** What contributing may use of this computer. */
export function Preferences({ settings: { engine, memoryMiB, training } }: { settings: Settings }) {
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
        <label class="check">
          <input
            type="checkbox"
            checked={training}
            onChange={({ currentTarget }) => send({ type: 'change', settings: { training: currentTarget.checked } })}
          />
          Train models, too, on public texts that the network hands out
        </label>
      </div>
    </details>
  );
}

function memoryName(mebibytes: number): string {
  if (mebibytes === 0) return 'Automatic (a quarter of it)';
  return mebibytes < 1024 ? `${mebibytes} MB` : `${mebibytes / 1024} GB`;
}
