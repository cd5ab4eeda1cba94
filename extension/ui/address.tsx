import { groupsOf } from './format.ts';

/** In full, in groups that can be compared; what is selected and copied has no spaces. */
export function Address({ address }: { address: string }) {
  return (
    <code class="address" data-testid="full-address">
      {groupsOf(address).map((group, i) => (
        // The same four may come twice; their place is their identity.
        <span key={i}>{group}</span>
      ))}
    </code>
  );
}
