import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

let collect: (() => void) | undefined;

/**
 * Gives back buffers that nobody holds any more. V8 lets them lie until its own heap is full, which buffers hardly add
 * to: while a stage is loaded, that would be as much again as its weights.
 */
export function collectGarbage(): void {
  if (!collect) {
    setFlagsFromString('--expose-gc');
    collect = runInNewContext('gc') as () => void;
  }
  collect();
}
