/**
 * Runs a stage's program: instructions in memory, each divided into tasks that the threads take as they come, all of them
 * meeting after each. No task's result depends on who does it, nor on which rows a step has.
 */
import { append, attend, rotate } from './attention';
import { elementwise } from './elementwise';
import {
  argument,
  EPOCH,
  INSTRUCTION_BYTES,
  INSTRUCTIONS,
  LOGIT_ROWS,
  MEETINGS,
  MEETINGS_BEFORE,
  PROGRAM,
  ROWS,
  SCRATCH,
  SCRATCH_BYTES,
  SLEEPERS,
  STOP,
  TASKS,
  THREADS,
} from './layout';
import { matmul, quantise } from './matmul';
import { norm } from './norm';
import { columns, gather, gatherInt8, lastRows } from './rows';
import { rouse, sleep } from './sleep';

/** Looks at the others before a thread sleeps: longer than most instructions take, shorter than a time slice. */
const SPINS: i32 = 20_000;

/** One step, as thread `thread`. */
export function run(thread: i32): void {
  const threads = load<i32>(THREADS);
  const count = load<i32>(INSTRUCTIONS);
  const scratch = <usize>load<u32>(SCRATCH) + <usize>thread * <usize>load<u32>(SCRATCH_BYTES);
  let instruction = <usize>load<u32>(PROGRAM);
  let tasks = TASKS;
  let meeting = load<i32>(MEETINGS_BEFORE);
  for (let i = 0; i < count; i++) {
    execute(instruction, tasks, scratch);
    instruction += INSTRUCTION_BYTES;
    tasks += 4;
    meeting += threads;
    if (threads > 1) meet(meeting);
  }
}

/** All steps until the stage ends, as one of the other threads. */
export function serve(thread: i32): void {
  let epoch = 0;
  while (true) {
    while (atomic.load<i32>(EPOCH) === epoch) sleep(EPOCH, epoch);
    epoch = atomic.load<i32>(EPOCH);
    if (load<i32>(STOP) !== 0) return;
    run(thread);
  }
}

/** Wakes the other threads for a step. */
export function wake(): void {
  atomic.add<i32>(EPOCH, 1);
  rouse(EPOCH);
}

function meet(meeting: i32): void {
  if (atomic.add<i32>(MEETINGS, 1) + 1 === meeting) {
    if (atomic.load<i32>(SLEEPERS) > 0) rouse(MEETINGS);
    return;
  }
  for (let spin = 0; spin < SPINS; spin++) {
    if (atomic.load<i32>(MEETINGS) - meeting >= 0) return;
  }
  atomic.add<i32>(SLEEPERS, 1);
  for (let seen = atomic.load<i32>(MEETINGS); seen - meeting < 0; seen = atomic.load<i32>(MEETINGS)) {
    sleep(MEETINGS, seen);
  }
  atomic.sub<i32>(SLEEPERS, 1);
}

function execute(at: usize, tasks: usize, scratch: usize): void {
  const rows = argument(at, 1) !== 0 ? load<i32>(LOGIT_ROWS) : load<i32>(ROWS);
  switch (argument(at, 0)) {
    case 0:
      gather(at, tasks, rows);
      break;
    case 1:
      columns(at, tasks, rows);
      break;
    case 2:
      lastRows(at, tasks);
      break;
    case 3:
      elementwise(at, tasks, rows);
      break;
    case 4:
      norm(at, tasks, rows);
      break;
    case 5:
      quantise(at, tasks, rows);
      break;
    case 6:
      matmul(at, tasks, rows, scratch);
      break;
    case 7:
      rotate(at, tasks, rows);
      break;
    case 8:
      append(at, tasks, rows);
      break;
    case 9:
      attend(at, tasks, rows, scratch);
      break;
    case 10:
      gatherInt8(at, tasks, rows);
      break;
    default:
      unreachable();
  }
}
