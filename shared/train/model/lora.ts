/** Training of low-rank adapters (LoRA, Hu et al. 2021) beside a base that stays as it is. */
import { adapterNames, addProduct, isAdapterTensor, type Lora, storedInOut } from '../../model/adapter.ts';
import type { ModelConfig } from '../../model/types.ts';
import type { TensorStore } from '../store.ts';
import { add } from '../tape/elementwise.ts';
import { gemm } from '../tape/matrix.ts';
import type { Tensor } from '../tape/tape.ts';
import type { Forward, Parameter } from './family.ts';

/** A model as it is trained; with `lora`, only its adapters are. */
export type TrainingConfig = ModelConfig & { lora?: Lora };
export type AdaptedConfig = ModelConfig & { lora: Lora };

/** The matrices of attention and MLP; not the embeddings, nor the head. */
function isAdapted(name: string): boolean {
  return /\.(c_attn|c_proj|c_fc|[qkvo]_proj|gate_proj|up_proj|down_proj)\.weight$/.test(name);
}

/** The adapters of a base with these parameters, in their order. In the beginning they add nothing. */
export function loraParameters(config: ModelConfig, { rank }: Lora, base: readonly Parameter[]): Parameter[] {
  return base
    .filter(({ name }) => isAdapted(name))
    .flatMap(({ name, shape }) => {
      const [inSize, outSize] = (storedInOut(config) ? shape : shape.toReversed()) as [number, number];
      const { a, b } = adapterNames(name);
      return [
        { name: a, shape: [rank, inSize], init: { deviation: 1 / Math.sqrt(3 * inSize) } },
        { name: b, shape: [outSize, rank], init: { constant: 0 } },
      ];
    });
}

/** Whether training changes a parameter: of an adapted model only the adapters. */
export function isTrained({ lora }: TrainingConfig, name: string): boolean {
  return !lora || isAdapterTensor(name);
}

/** The base with its adapters merged into it: what `ailo` and others run as a model of its own. */
export function mergedStore(config: AdaptedConfig, weights: Pick<TensorStore, 'read'>): Pick<TensorStore, 'read'> {
  const { rank, alpha } = config.lora;
  return {
    async read(name) {
      const values = await weights.read(name);
      if (!isAdapted(name)) return values;
      const names = adapterNames(name);
      const [a, b] = [await weights.read(names.a), await weights.read(names.b)];
      const inOut = storedInOut(config);
      const columns = (inOut ? b : a).length / rank;
      return addProduct(values, { a, b }, { inOut, columns, rank, start: 0, scale: alpha / rank });
    },
  };
}

/** A linear layer, x [n, in] → [n, out], with its adapter where the model has one. */
export function linearLayer(f: Forward, x: Tensor, weight: string, bias?: string): Tensor {
  const { g, config, parameter } = f;
  const stored = { transB: !storedInOut(config) };
  const product = gemm(g, x, parameter(weight), bias === undefined ? undefined : parameter(bias), stored);
  if (!config.lora || !isAdapted(weight)) return product;
  const { a, b } = adapterNames(weight);
  const narrow = gemm(g, x, parameter(a), undefined, { transB: true }); // [n, rank]
  const alpha = config.lora.alpha / config.lora.rank;
  return add(g, product, gemm(g, narrow, parameter(b), undefined, { transB: true, alpha }));
}
