import { formatAlc } from '../../shared/ledger/money.ts';

/** “0.05 ALC”; a dash until it is known. `micro`: µALC in decimal digits. */
export function Alc({ micro }: { micro: string | undefined }) {
  if (micro === undefined) return <>–</>;
  return (
    <>
      {formatAlc(BigInt(micro))} <span class="unit">ALC</span>
    </>
  );
}
