// From JavaScript, `shared/kernels/instantiate.ts`.

/** Returns when the int32 at `address` is not `value`, or somebody rouses. */
export declare function sleep(address: usize, value: i32): void;

/** Wakes all that sleep at `address`. */
export declare function rouse(address: usize): void;
