/** Runs tasks one at a time, in the order of asking. A task that fails does not hold up the next. */
export class Mutex {
  /** Settles when the last task asked for has; never rejects. */
  #tail: Promise<unknown> = Promise.resolve();

  run<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#tail.then(task);
    this.#tail = result.catch(() => {});
    return result;
  }
}
