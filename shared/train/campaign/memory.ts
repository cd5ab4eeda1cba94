import { AiloError } from '../../errors/index.ts';
import { parameterCount, parametersOf } from '../model/model.ts';
import { sizeOf } from '../tape/tape.ts';
import { APPLY_BATCHES, MAX_HEAD_TILE_VALUES, SEGMENT_VALUES } from '../virtual/limits.ts';
import { ringOf, ringSlots } from '../virtual/ring.ts';
import { type Campaign, modelOf } from './campaign.ts';

/** Weights thrice (canonical, local, change), feedback twice, AdamW's two, gradients, and the engine's own copies. */
const COPIES = 12;
/** Weights and gradients of a block, each once more under way. */
const BLOCKS = 4;
/** Segments of AdamW: three arrays that are read, three written, and the gradient, twice; and what decays. */
const SEGMENTS = 15;
/** Of a segment: the weights and AdamW's two. */
const SEGMENT_ARRAYS = 3;

/** About what training in a campaign takes, bytes: every array of the model's size, without the activations of a batch. */
export function learnerBytes(campaign: Campaign): number {
  return COPIES * 4 * parameterCount(modelOf(campaign));
}

/** The same with everything of the model's size on a disk: what one block takes, its activations included. */
export function diskLearnerBytes(campaign: Campaign): number {
  const config = modelOf(campaign);
  const { batch, sequence } = campaign;
  const { layers, hiddenSize, intermediateSize, heads, vocabSize } = config;
  const rows = batch * sequence;
  const inBlocks = parametersOf(config).filter(({ shape }) => shape[0] !== vocabSize);
  const block = inBlocks.reduce((sum, { shape }) => sum + sizeOf(shape), 0) / layers;
  const activations = rows * (16 * hiddenSize + 8 * intermediateSize) + 6 * batch * heads * sequence ** 2;
  const kept = rows * (layers * hiddenSize + vocabSize);
  return 4 * (BLOCKS * Math.max(block, MAX_HEAD_TILE_VALUES) + SEGMENTS * SEGMENT_VALUES + activations + kept);
}

/** What the disk then has at most: weights and feedback, each for a moment twice, the ring of segments, the gradients. */
export function diskBytes(campaign: Campaign): number {
  const values = parameterCount(modelOf(campaign));
  const ring = ringOf(Math.ceil(values / SEGMENT_VALUES), APPLY_BATCHES);
  return 4 * (5 * values + ringSlots(ring) * SEGMENT_ARRAYS * SEGMENT_VALUES);
}

export interface Room {
  memoryBytes: number;
  diskBytes: number;
}

/**
 * Where a worker keeps the arrays of the model's size: in memory, if there is room for all, else on the disk. Local texts
 * are learned from in memory only. Throws MEMORY_BUDGET_EXCEEDED and DISK_BUDGET_EXCEEDED, before anything is loaded.
 */
export function placeOf(campaign: Campaign, room: Room): 'memory' | 'disk' {
  const memoryBytes = learnerBytes(campaign);
  if (memoryBytes <= room.memoryBytes) return 'memory';
  const onDisk = campaign.data.mode === 'public';
  const neededBytes = onDisk ? Math.min(memoryBytes, diskLearnerBytes(campaign)) : memoryBytes;
  if (neededBytes > room.memoryBytes) {
    throw AiloError.of('MEMORY_BUDGET_EXCEEDED', { neededBytes, budgetBytes: room.memoryBytes });
  }
  const needed = diskBytes(campaign);
  if (needed > room.diskBytes) {
    throw AiloError.of('DISK_BUDGET_EXCEEDED', { neededBytes: needed, budgetBytes: room.diskBytes });
  }
  return 'disk';
}
