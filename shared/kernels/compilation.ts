import type { Attributes, Graph } from '../graph/onnx.ts';
import { initializerBytes } from '../graph/onnx.ts';
import type { Initializer } from '../graph/types.ts';
import { Arena, type RowCount, type Rows } from './arena.ts';
import { LANES, MAX_PRODUCTS, PANEL, QUANTISATION_STEPS } from './layout.ts';
import { panelBytes, panels } from './panels.ts';
import { align, type Placement, type Program, ProgramWriter } from './program.ts';

/** Thrown for what the kernels do not know; never leaves `compileStage`. */
export class Unsupported extends Error {}

/** A node becomes at most so many instructions. */
const MAX_INSTRUCTIONS_PER_NODE = 5;
/** Weights of one task: enough that taking it costs nothing, few enough that threads end together. */
const TASK_BYTES = 49_152;

interface Place {
  at: number;
  bytes: number;
}

interface Located {
  file: string;
  /** In the file. */
  offset: number;
  initializer: Initializer;
}

/** A graph on its way to a program: which value lies where, and which of them are still needed. */
export class Compilation {
  readonly writer: ProgramWriter;
  readonly contextLength: number;
  readonly #graph: Graph;
  readonly #arena: Arena;
  readonly #located: ReadonlyMap<string, Located>;
  readonly #placed = new Map<string, number>();
  readonly #placements = new Map<string, Placement[]>();
  readonly #values = new Map<string, Rows>();
  /** Memory of the arena that goes with a value. */
  readonly #places = new Map<string, Place[]>();
  readonly #quantised = new Map<string, [values: number, scales: number]>();
  readonly #inputs: { tokens?: number; positions?: number; hidden?: number } = {};
  #cacheBytes = 0;
  #node = 0;
  #zeros = { at: 0, columns: 0 };

  constructor(graph: Graph, contextLength: number) {
    this.#graph = graph;
    this.contextLength = contextLength;
    this.writer = new ProgramWriter(MAX_INSTRUCTIONS_PER_NODE * graph.nodes.length);
    this.#arena = new Arena(this.writer);
    this.#located = new Map(graph.weights.flatMap(located));
    const hidden = graph.inputs.find(({ name }) => name === 'hidden');
    if (hidden) this.#inputs.hidden = this.define('hidden', hidden.shape[2] as number, 0).at;
  }

  /** Throws Unsupported unless it holds. */
  require(holds: boolean): void {
    if (!holds) throw new Unsupported();
  }

  number(attributes: Attributes, name: string): number {
    const attribute = attributes[name];
    if (attribute && 'int' in attribute) return attribute.int;
    if (attribute && 'float' in attribute) return attribute.float;
    throw new Unsupported();
  }

  constant(name: string): ArrayLike<number> {
    const found = this.#graph.constants.find((constant) => constant.name === name);
    if (!found) throw new Unsupported();
    return found.values;
  }

  initializer(name: string): Initializer {
    return this.#locate(name).initializer;
  }

  value(name: string): Rows {
    const found = this.#values.get(name);
    if (!found) throw new Unsupported();
    return found;
  }

  /** A new value. */
  define(name: string, width: number, rows: RowCount): Rows {
    const place = this.#arena.take(4 * width);
    const value = { at: place.at, width, rows };
    this.#values.set(name, value);
    this.#places.set(name, [place]);
    return value;
  }

  readers(name: string): number {
    return this.#graph.nodes.filter(({ inputs }) => inputs.includes(name)).length;
  }

  input(name: 'tokens' | 'positions'): number {
    this.#inputs[name] ??= this.#arena.take(4).at;
    return this.#inputs[name];
  }

  /** Where a float32 weight lies, whole panels of it. */
  weight(name: string): number {
    const { file, offset, initializer } = this.#locate(name);
    this.require(initializer.dtype === 'float32');
    return this.#copied(name, { file, offset, initializer });
  }

  /** Where an int8 table lies as it is. */
  table(name: string): number {
    const { file, offset, initializer } = this.#locate(name);
    this.require(initializer.dtype === 'int8');
    return this.#copied(name, { file, offset, initializer });
  }

  /** Where the panels of an int8 matrix lie. */
  panels(name: string): number {
    const { file, offset, initializer } = this.#locate(name);
    const [inSize, outSize] = initializer.dims as [number, number];
    this.require(initializer.dtype === 'int8' && inSize % LANES === 0);
    return this.#place(name, file, panelBytes(inSize, outSize), (at) => ({
      kind: 'panels',
      offset,
      inSize,
      outSize,
      at,
    }));
  }

  panelsPerTask(inSize: number): number {
    return Math.max(1, Math.round(TASK_BYTES / (PANEL * inSize)));
  }

  /** Where so many zeros lie, whole panels of them. */
  zeros(columns: number): number {
    if (columns > this.#zeros.columns) {
      this.#zeros = { columns, at: this.writer.reserve(4 * PANEL * panels(columns)) };
    }
    return this.#zeros.at;
  }

  /** Values and scales of the rows of a value, which are quantised once however many products need them. */
  quantised(name: string): [values: number, scales: number] {
    const known = this.#quantised.get(name);
    if (known) return known;
    const { at, width, rows } = this.value(name);
    this.require(width % LANES === 0 && width <= MAX_PRODUCTS);
    const [values, scales] = [this.#arena.take(2 * width), this.#arena.take(4)];
    this.#places.get(name)!.push(values, scales);
    this.writer.emit('quantise', rows, at, values.at, scales.at, width, QUANTISATION_STEPS);
    const both: [number, number] = [values.at, scales.at];
    this.#quantised.set(name, both);
    return both;
  }

  /** Where the cache of a past tensor [1, kvHeads, contextLength, headDim] begins within a sequence's. */
  cache(past: string): number {
    const port = this.#graph.inputs.find(({ name }) => name === past);
    if (!port) throw new Unsupported();
    const at = this.#cacheBytes;
    const [, kvHeads, , headDim] = port.shape as [number, number, string, number];
    this.#cacheBytes += align(4 * kvHeads * this.contextLength * headDim);
    return at;
  }

  /** After each node: memory of what nobody reads any more is free. */
  endNode(): void {
    const later = this.#graph.nodes.slice(this.#node + 1);
    const outputs = new Set(this.#graph.outputs.map(({ name }) => name));
    for (const [name, places] of this.#places) {
      if (outputs.has(name) || later.some(({ inputs }) => inputs.includes(name))) continue;
      for (const place of places) this.#arena.give(place);
      this.#places.delete(name);
      this.#quantised.delete(name);
    }
    this.#node++;
  }

  program(): Program {
    const output = this.#graph.outputs.find(({ name }) => name === 'logits' || name === 'hidden_out');
    const { words, start, bytes } = this.writer;
    return {
      ...{ words, start, bytes, inputs: this.#inputs, placements: this.#placements },
      ...{ output: this.value(output!.name).at, cacheBytes: this.#cacheBytes },
    };
  }

  #copied(name: string, { file, offset, initializer }: Located): number {
    return this.#place(name, file, initializerBytes(initializer), (at, bytes) => ({ kind: 'copy', offset, bytes, at }));
  }

  #locate(name: string): Located {
    const found = this.#located.get(name);
    if (!found) throw new Unsupported();
    return found;
  }

  #place(name: string, file: string, bytes: number, placement: (at: number, bytes: number) => Placement): number {
    const known = this.#placed.get(name);
    if (known !== undefined) return known;
    const at = this.writer.reserve(bytes);
    this.#placed.set(name, at);
    this.#placements.set(file, [...(this.#placements.get(file) ?? []), placement(at, bytes)]);
    return at;
  }
}

/** The initializers of a file, by name. */
function located({ name: file, initializers }: Graph['weights'][number]): [string, Located][] {
  let offset = 0;
  return initializers.map((initializer) => {
    const at = offset;
    offset += initializerBytes(initializer);
    return [initializer.name, { file, offset: at, initializer }];
  });
}
