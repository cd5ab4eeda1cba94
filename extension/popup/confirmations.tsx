const RADIUS = 6;
const LENGTH = 2 * Math.PI * RADIUS;

interface ConfirmationsProps {
  confirmations: number;
  needed: number;
}

/** “3/10” with a ring that fills. */
export function Confirmations({ confirmations, needed }: ConfirmationsProps) {
  const filled = Math.min(confirmations / needed, 1) * LENGTH;
  return (
    <span class="confirmations figures">
      <svg width="14" height="14" viewBox="0 0 16 16" aria-hidden="true">
        <circle cx="8" cy="8" r={RADIUS} class="track" />
        <circle cx="8" cy="8" r={RADIUS} class="filled" stroke-dasharray={`${filled} ${LENGTH}`} />
      </svg>
      <span aria-hidden="true">
        {confirmations}/{needed}
      </span>
      <span class="visually-hidden">
        {confirmations} of {needed} confirmations
      </span>
    </span>
  );
}
