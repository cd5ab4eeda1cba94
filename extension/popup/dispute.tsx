import type { TransactionDetail } from '../../shared/replica/wallet-types.ts';
import { count, when } from '../ui/format.ts';
import { Person, type PersonProps } from './person.tsx';

interface DisputeCardProps extends Omit<PersonProps, 'who'> {
  dispute: NonNullable<TransactionDetail['dispute']>;
}

/** Who says that a transfer is bad, and how many it takes. */
export function DisputeCard({ dispute: { reports, needed, activeNodes, disputedMs }, ...person }: DisputeCardProps) {
  return (
    <section class="card stack tight" aria-labelledby="dispute-title">
      <h3 id="dispute-title">Reports</h3>
      <p class="small" role="status">
        {reports.length} of {needed} that are needed; {count(activeNodes, 'active node')} may report it.
        {disputedMs !== undefined && ` Disputed since ${when(disputedMs, Date.now())}.`}
      </p>
      <ol class="people small">
        {reports.map((report) => (
          <li key={report.address}>
            <Person who={report.address} {...person} />
            <p>
              “{report.reason}” <span class="muted">{when(report.timeMs, Date.now())}</span>
            </p>
          </li>
        ))}
      </ol>
    </section>
  );
}
