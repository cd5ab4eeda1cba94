/** Runs in Chromium: hands calls to the worker that trains. */
import { connect } from '../../../extension/compute/rpc.ts';
import type { MeasuredStep, Start, VirtualCalls, VirtualOptions } from './types.ts';

declare global {
  var virtual: {
    open(options: VirtualOptions): Promise<{ finishedSteps: number }>;
    begin(): Promise<Start>;
    step(): Promise<MeasuredStep>;
  };
}

const worker = new Worker('worker.js', { type: 'module' });
const { call } = connect<VirtualCalls>(worker, {});
globalThis.virtual = {
  open: (options) => call('open', options),
  begin: () => call('begin', undefined),
  step: () => call('step', undefined),
};
