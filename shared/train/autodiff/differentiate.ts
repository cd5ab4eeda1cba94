import { add } from '../tape/elementwise.ts';
import type { Tape, TapeNode, Tensor } from '../tape/tape.ts';
import { RULES } from './rules.ts';

/**
 * Reverse-mode differentiation (Linnainmaa 1970): walks back over what the tape holds and records the gradients of a
 * loss by `wrt`, in their order, given its gradients by some results (`seeds`, each of its result's shape). Throws
 * RangeError for an operator without a rule on the way, and for a `wrt` that no seed depends on.
 */
export function differentiate(g: Tape, seeds: ReadonlyMap<Tensor, Tensor>, wrt: readonly Tensor[]): Tensor[] {
  const forward = [...g.nodes];
  const relevant = dependents(forward, wrt);
  const gradients = new Map(seeds);
  for (const node of forward.reverse()) {
    const dys = node.outputs.map((output) => gradients.get(output));
    if (!node.outputs.some((output) => relevant.has(output)) || dys.every((dy) => dy === undefined)) continue;
    for (const [input, gradient] of gradientsOf(g, node, dys)) {
      if (!relevant.has(input)) continue;
      const [sum, term] = [gradients.get(input), gradient()];
      gradients.set(input, sum ? add(g, sum, term) : term);
    }
  }
  return wrt.map((tensor) => {
    const gradient = gradients.get(tensor);
    if (!gradient) throw new RangeError(`the loss does not depend on ${tensor.name}`);
    return gradient;
  });
}

function gradientsOf(g: Tape, node: TapeNode, dys: (Tensor | undefined)[]): [Tensor, () => Tensor][] {
  const rule = RULES[node.op];
  if (!rule) throw new RangeError(`the operator ${node.op} has no gradient here`);
  const inputs = node.inputs as Tensor[];
  const gradients = rule({ g, node, x: inputs, y: node.outputs[0]!, dy: dys[0]!, dys });
  return inputs.flatMap((input, index): [Tensor, () => Tensor][] => {
    const gradient = gradients[index];
    return gradient ? [[input, gradient]] : [];
  });
}

/** `wrt` and all results that depend on one of them. */
function dependents(nodes: TapeNode[], wrt: readonly Tensor[]): Set<Tensor> {
  const found = new Set(wrt);
  for (const { inputs, outputs } of nodes) {
    if (inputs.some((input) => input && found.has(input))) for (const output of outputs) found.add(output);
  }
  return found;
}
