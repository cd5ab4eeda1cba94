import { expect, it } from 'vitest';
import { progressLines } from './progress.ts';

it('tells a tenth at a time how much is there and how long the rest takes', () => {
  const lines: string[] = [];
  let nowMs = 0;
  const tell = progressLines(
    (line) => lines.push(line),
    () => nowMs,
  );
  const total = 1_000_000_000;
  for (let loaded = 0; loaded <= total; loaded += 10_000_000) {
    tell('model.safetensors', loaded, total);
    nowMs += 1000;
  }
  expect(lines).toHaveLength(11);
  expect(lines[1]).toBe('Downloading model.safetensors: 100 of 1000 MB, 2 min left');
  expect(lines[9]).toBe('Downloading model.safetensors: 900 of 1000 MB, 10 s left');
  expect(lines[10]).toBe('Downloading model.safetensors: 1000 of 1000 MB');
});

it('says nothing of small files, nor of what was there already', () => {
  const lines: string[] = [];
  const tell = progressLines(
    (line) => lines.push(line),
    () => 0,
  );
  tell('config.json', 10, 10);
  tell('model.safetensors', 1e9, 1e9);
  expect(lines).toEqual([]);
});
