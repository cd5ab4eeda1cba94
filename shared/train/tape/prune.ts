import type { TapeNode, Tensor } from './tape.ts';

/** The nodes that some output depends on, in their order; onnxruntime would compute the others as well. */
export function neededNodes(nodes: readonly TapeNode[], outputs: Iterable<string>): TapeNode[] {
  const needed = new Set(outputs);
  const kept = nodes.toReversed().filter((node) => {
    if (!node.outputs.some(({ name }) => needed.has(name))) return false;
    for (const input of node.inputs as (Tensor | undefined)[]) if (input) needed.add(input.name);
    return true;
  });
  return kept.reverse();
}
