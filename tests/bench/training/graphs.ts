/** The block as a training graph of ours, and its plain products. */
import { differentiate } from '../../../shared/train/autodiff/differentiate.ts';
import { PORTS } from '../../../shared/train/graphs.ts';
import { familyOf, record } from '../../../shared/train/model/model.ts';
import { mul } from '../../../shared/train/tape/elementwise.ts';
import { matMul } from '../../../shared/train/tape/matrix.ts';
import { sumAll } from '../../../shared/train/tape/reduce.ts';
import { Tape, type Tensor } from '../../../shared/train/tape/tape.ts';
import { blockMatrices, CONFIG, TOKENS } from './block.ts';

/** `before`, `upstream` and the parameters of layer 0 → `loss` and all gradients. */
export function stepGraph(): Uint8Array {
  const shape = [TOKENS, CONFIG.hiddenSize];
  const { g, result, parameters } = record(CONFIG, { batch: 1, sequence: TOKENS }, (f) => {
    const before = f.g.input(PORTS.before, shape);
    return { before, after: familyOf(CONFIG).block(f, 0, before), upstream: f.g.input('upstream', shape) };
  });
  const { before, after, upstream } = result;
  g.output(sumAll(g, mul(g, after, upstream)), PORTS.loss);
  const wrt = new Map([[PORTS.before, before], ...parameters]);
  const gradients = differentiate(g, new Map([[after, upstream]]), [...wrt.values()]);
  for (const [index, name] of [...wrt.keys()].entries()) g.output(gradients[index]!, PORTS.gradient(name));
  return g.encode();
}

/** The plain products of a step, three for each matrix: forward, and for the gradients of both factors. */
export interface ProductsGraph {
  onnx: Uint8Array;
  inputs: Tensor[];
  outputs: Tensor[];
}

export function productsGraph(): ProductsGraph {
  const g = new Tape();
  const inputs: Tensor[] = [];
  const outputs: Tensor[] = [];
  const product = (rows: number, inner: number, columns: number) => {
    const at = outputs.length;
    const [a, b] = [g.input(`a.${at}`, [rows, inner]), g.input(`b.${at}`, [inner, columns])];
    const result = matMul(g, a, b);
    g.output(result, `product.${at}`);
    inputs.push(a, b);
    outputs.push({ ...result, name: `product.${at}` });
  };
  for (const [rows, columns] of blockMatrices()) {
    product(TOKENS, rows, columns);
    product(TOKENS, columns, rows);
    product(rows, TOKENS, columns);
  }
  return { onnx: g.encode(), inputs, outputs };
}
