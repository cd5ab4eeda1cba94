import type { Handlers, Reply } from '../../../extension/compute/rpc.ts';
import type { BatchShape } from '../../../shared/train/model/model.ts';

export interface VirtualOptions {
  layers: number;
  shape: BatchShape;
  threads: number;
  seed: number;
}

export interface Start {
  seconds: number;
  chunks: number;
}

export interface MeasuredStep {
  loss: number;
  gradientNorm: number;
  /** Without the measurements of the plain product that were made on the way. */
  seconds: number;
  /** In which the engine ran. */
  computeSeconds: number;
  /** The same until the gradients were there; what follows is the update. */
  gradientSeconds: number;
  gradientComputeSeconds: number;
  bytesRead: number;
  bytesWritten: number;
  /** Of the plain product: each measurement, the first before the step. */
  matmulGflops: number[];
  finishedSteps: number;
}

/** What the benchmark's worker does for its page. */
export interface VirtualCalls extends Handlers {
  open(options: VirtualOptions): Promise<Reply<{ finishedSteps: number }>>;
  /** Takes over the weights, from the network or from where they were stored. */
  begin(argument: undefined): Promise<Reply<Start>>;
  step(argument: undefined): Promise<Reply<MeasuredStep>>;
}
