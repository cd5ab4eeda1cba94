import { scale } from '../tape/elementwise.ts';
import { sumTo } from '../tape/reduce.ts';
import { concat, expand, pad, reshape, slice, transpose, zeros } from '../tape/shape.ts';
import { sizeOf } from '../tape/tape.ts';
import type { At, Rule } from './rule.ts';

export const shapeRules: Record<string, Rule> = {
  Reshape: ({ g, x: [x], dy }) => [() => reshape(g, dy, x!.shape)],
  Expand: ({ g, x: [x], dy }) => [() => sumTo(g, dy, x!.shape)],
  Transpose: ({ g, node, dy }) => {
    const order = (node.attributes.perm as { ints: number[] }).ints;
    return [
      () =>
        transpose(
          g,
          dy,
          order.map((_, axis) => order.indexOf(axis)),
        ),
    ];
  },
  Slice: ({ g, x: [x, start, end, axis], dy }) => {
    const [from, to, along] = [start, end, axis].map((constant) => constant!.values![0]!) as [number, number, number];
    return [() => pad(g, dy, along, from, x!.shape[along]! - to)];
  },
  Pad: ({ g, x: [x, pads], dy }) => {
    const before = Array.from(pads!.values!).slice(0, x!.shape.length);
    const cut = (axis: number) => (whole: typeof dy) =>
      slice(g, whole, axis, before[axis]!, before[axis]! + x!.shape[axis]!);
    return [
      () =>
        [...before.keys()]
          .filter((axis) => x!.shape[axis] !== dy.shape[axis])
          .reduce((part, axis) => cut(axis)(part), dy),
    ];
  },
  Concat: ({ g, node, x, dy }) => {
    const axis = axisOf(node);
    let end = 0;
    return x.map(({ shape }) => {
      const start = end;
      end += shape[axis]!;
      return () => slice(g, dy, axis, start, start + shape[axis]!);
    });
  },
  Split: ({ g, node, dys }) => [
    () =>
      concat(
        g,
        dys.map((dy, index) => dy ?? zeros(g, node.outputs[index]!.shape)),
        axisOf(node),
      ),
  ],
  ReduceSum: (at) => [() => spread(at)],
  ReduceMean: (at) => {
    const {
      g,
      x: [x],
      y,
    } = at;
    return [() => scale(g, spread(at), sizeOf(y.shape) / sizeOf(x!.shape))];
  },
};

/** dy of a reduction, repeated along the axes that were reduced. */
function spread({ g, x: [x, axes], dy }: At) {
  const reduced = Array.from(axes!.values!);
  const kept = x!.shape.map((size, axis) => (reduced.includes(axis) ? 1 : size));
  return expand(g, dy.shape.length === kept.length ? dy : reshape(g, dy, kept), x!.shape);
}

function axisOf({ attributes }: At['node']): number {
  return (attributes.axis as { int: number }).int;
}
