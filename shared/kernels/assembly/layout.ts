// Where things are in the memory of a stage (bytes): `shared/kernels/layout.ts` says the same for TypeScript.

/** Counts up with each step; threads wait here. */
export const EPOCH: usize = 0;
export const STOP: usize = 4;
/** How often threads have met, wrapping. */
export const MEETINGS: usize = 64;
export const SLEEPERS: usize = 128;
/** `MEETINGS` when the step began. */
export const MEETINGS_BEFORE: usize = 192;
export const THREADS: usize = 196;
export const ROWS: usize = 200;
export const POSITION: usize = 204;
export const CACHE: usize = 208;
export const PROGRAM: usize = 212;
export const INSTRUCTIONS: usize = 216;
export const SCRATCH: usize = 220;
export const SCRATCH_BYTES: usize = 224;
/** How many of the last rows want logits. */
export const LOGIT_ROWS: usize = 228;
/** One for each instruction: the next task of it that nobody has taken. */
export const TASKS: usize = 1024;

export const INSTRUCTION_BYTES: usize = 64;

/** An argument of an instruction; 0 is its opcode, 1 how many rows it has (0: as many as the step, 1: those with logits). */
export function argument(instruction: usize, index: i32): usize {
  return <usize>load<u32>(instruction + ((<usize>index) << 2));
}

export function float(instruction: usize, index: i32): f32 {
  return load<f32>(instruction + ((<usize>index) << 2));
}

/** Takes a task: each is given to one thread, whoever comes first. */
export function take(tasks: usize): i32 {
  return atomic.add<i32>(tasks, 1);
}
