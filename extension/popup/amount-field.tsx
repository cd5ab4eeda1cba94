import { formatAlc } from '../../shared/ledger/money.ts';
import { PaymentField } from './payment-field.tsx';
import { amountIn, mostSendable, type Payer, remainsAfter } from './send-check.ts';

interface AmountFieldProps {
  value: string;
  error: string | undefined;
  payer: Payer | undefined;
  onInput(amount: string): void;
}

export function AmountField({ value, error, payer, onInput }: AmountFieldProps) {
  const most = payer && mostSendable(payer);
  return (
    <PaymentField
      name="amount"
      label="Amount in ALC"
      placeholder="0.00"
      inputMode="decimal"
      value={value}
      error={error}
      hint={payer && <Remains amountMicroAlc={amountIn(value)} payer={payer} />}
      after={
        <button
          type="button"
          class="button"
          disabled={most === undefined || most <= 0n}
          onClick={() => onInput(formatAlc(most!))}
        >
          Send all
        </button>
      }
      onInput={onInput}
    />
  );
}

/** The fee, and what is left after both. */
function Remains({ amountMicroAlc = 0n, payer }: { amountMicroAlc: bigint | undefined; payer: Payer }) {
  const remains = remainsAfter(amountMicroAlc, payer);
  const fee = `The fee is ${formatAlc(payer.feeMicroAlc)} ALC.`;
  if (amountMicroAlc === 0n) return <>{`${formatAlc(payer.availableMicroAlc)} ALC are available. ${fee}`}</>;
  return <>{remains < 0n ? `${fee} That is more than there is.` : `${fee} ${formatAlc(remains)} ALC remain.`}</>;
}
