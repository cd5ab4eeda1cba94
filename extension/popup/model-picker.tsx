import type { ModelListing } from '../../shared/protocol/messages.ts';
import { readinessOf } from './status.ts';

interface ModelPickerProps {
  models: ModelListing[];
  model: ModelListing | undefined;
  /** Without a connection nobody knows what is ready. */
  isConnected: boolean;
  onChoose(id: string): void;
}

export function ModelPicker({ models, model, isConnected, onChoose }: ModelPickerProps) {
  return (
    <div class="model-picker">
      <label class="visually-hidden" for="model">
        Model
      </label>
      <select
        id="model"
        disabled={models.length === 0}
        value={model?.id ?? ''}
        onChange={({ currentTarget }) => onChoose(currentTarget.value)}
      >
        {models.length === 0 && <option value="">No model yet</option>}
        {models.map((listing) => (
          <option key={listing.id} value={listing.id}>
            {isConnected ? `${listing.name} · ${readinessOf(listing)}` : listing.name}
          </option>
        ))}
      </select>
    </div>
  );
}
