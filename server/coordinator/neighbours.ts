/** Who may agree on a direct link. Pure. */
import type { Jobs } from './job.ts';
import type { Pool } from './pool.ts';

/**
 * Whether two nodes hold neighbouring stages of a running job or of a room (the last stage is next to the first), or the
 * same stage of a room, whose chunks they share.
 */
export function mayLink({ rooms }: Pool, { running }: Jobs, a: string, b: string): boolean {
  if (a === b) return false;
  const rings = [
    ...[...rooms.values()].map(({ stages }) => stages.map(({ holders }) => holders.map(({ node }) => node))),
    ...[...running.values()].map(({ stages }) => stages.map(({ node, vacant }) => (vacant ? [] : [node]))),
  ];
  return rings.some((ring) =>
    ring.some((nodes, i) => {
      const next = ring[(i + 1) % ring.length]!;
      const follow = (first: string, second: string) => nodes.includes(first) && next.includes(second);
      return follow(a, b) || follow(b, a) || (nodes.includes(a) && nodes.includes(b));
    }),
  );
}
