import type { Tape, TapeNode, Tensor } from '../tape/tape.ts';

/** What a rule is given: a node y = f(inputs), the gradient of the loss by y, and the tape to record on. */
export interface At {
  g: Tape;
  node: TapeNode;
  /** The node's inputs; a rule reads only those its operator has. */
  x: Tensor[];
  y: Tensor;
  dy: Tensor;
  /** Gradients of all results, for operators that have several; missing where nobody used the result. */
  dys: (Tensor | undefined)[];
}

/** Records the gradient by one input. Called only for inputs whose gradient somebody needs. */
export type Gradient = () => Tensor;

/** The gradients by the inputs, in their order; what is left out or undefined has none (indices, shapes). */
export type Rule = (at: At) => (Gradient | undefined)[];
