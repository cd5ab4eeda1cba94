import { Person, type PersonProps } from './person.tsx';

interface VerifiersProps extends Omit<PersonProps, 'who'> {
  /** Addresses, in the order in which they verified. */
  verifiers: string[];
}

export function Verifiers({ verifiers, ...person }: VerifiersProps) {
  return (
    <section class="card stack tight" aria-labelledby="verifiers-title">
      <h3 id="verifiers-title">Verified by</h3>
      {verifiers.length === 0 ? (
        <p class="small muted">Nobody yet.</p>
      ) : (
        <ol class="people short small">
          {verifiers.map((who) => (
            <li key={who}>
              <Person who={who} {...person} />
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}
