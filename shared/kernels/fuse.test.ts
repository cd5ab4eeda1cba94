import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { folderSource } from '../../server/model/folder-source.ts';
import { buildStage } from '../graph/stage.ts';
import type { Quant } from '../graph/types.ts';
import { units } from '../graph/units.ts';
import { loadConfig } from '../model/config.ts';
import { fuse, INT8_GATHER, INT8_MATMUL } from './fuse.ts';

async function recorded(name: string, quant: Quant) {
  const config = await loadConfig(
    folderSource(fileURLToPath(new URL(`../../tests/fixtures/${name}/`, import.meta.url))),
  );
  const { recorded } = buildStage(
    config,
    { start: 0, end: units(config).length },
    { quant, contextLength: 32, lanes: 3 },
  );
  return { config, graph: recorded };
}

test.each(['gpt2-f16', 'qwen2-untied', 'llama3-rope'])('finds every matrix and table of %s in int8', async (name) => {
  const { config, graph } = await recorded(name, 'int8');
  const { nodes } = fuse(graph);
  const matrices = nodes.filter(({ op }) => op === INT8_MATMUL);
  expect(matrices).toHaveLength(config.layers * (config.family === 'gpt2' ? 4 : 5) + 1);
  expect(matrices.map(({ inputs }) => inputs.slice(1))).toContainEqual([
    'layers.0.o',
    'layers.0.o.scales',
    ...rest(name),
  ]);
  expect(nodes.filter(({ op }) => op === INT8_GATHER).map(({ inputs }) => inputs)).toEqual([
    ['embedding', 'embedding.scales', 'tokens'],
  ]);
  const left = new Set(nodes.map(({ op }) => op));
  for (const op of ['Abs', 'ReduceMax', 'Div', 'QuantizeLinear', 'MatMulIntegerToFloat', 'Cast', 'If', 'Slice']) {
    expect(left).not.toContain(op);
  }
});

function rest(name: string): string[] {
  return name.startsWith('gpt2') ? ['layers.0.o.bias'] : [];
}

test('leaves the matrices of other quantisations as they are', async () => {
  const { graph } = await recorded('qwen2-untied', 'f32');
  const count = (nodes: { op: string }[]) => nodes.filter(({ op }) => op === 'MatMul').length;
  expect(count(fuse(graph).nodes)).toBe(count(graph.nodes));
});
