/** Who may agree on a direct link. Pure. */
import type { Jobs } from './job.ts';
import type { Pool } from './pool.ts';

/** Whether two nodes hold neighbouring stages of a running job or of a room; the last stage is next to the first. */
export function areNeighbours({ rooms }: Pool, { running }: Jobs, a: string, b: string): boolean {
  if (a === b) return false;
  const rings = [
    ...[...rooms.values()].map(({ stages }) => stages.map(({ holders }) => holders.map(({ node }) => node))),
    ...[...running.values()].map(({ stages }) => stages.map(({ node, vacant }) => (vacant ? [] : [node]))),
  ];
  return rings.some((ring) =>
    ring.some((nodes, i) => {
      const next = ring[(i + 1) % ring.length]!;
      return (nodes.includes(a) && next.includes(b)) || (nodes.includes(b) && next.includes(a));
    }),
  );
}
