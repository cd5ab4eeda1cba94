import { expect, it } from 'vitest';
import type { Settings } from '../state.ts';
import { changed } from './change.ts';

const settings: Settings = {
  coordinatorUrl: 'http://127.0.0.1:8790',
  contributing: false,
  consented: false,
  training: 'public',
  temperature: 0.7,
  maxNewTokens: 256,
  engine: 'auto',
  memoryMiB: 0,
  autoLockMinutes: 15,
};

it('never contributes before consent', () => {
  expect(changed(settings, { contributing: true }).contributing).toBe(false);
  expect(changed(settings, { contributing: true, consented: true }).contributing).toBe(true);
  const consented = { ...settings, consented: true, contributing: true };
  expect(changed(consented, { consented: false }).contributing).toBe(false);
  expect(changed(consented, { temperature: 1 })).toEqual({ ...consented, temperature: 1 });
});

it('keeps, replaces and withdraws the username', () => {
  const lily = changed(settings, { username: 'lily' });
  expect(lily.username).toBe('lily');
  expect(changed(lily, { temperature: 1 }).username).toBe('lily');
  expect(changed(lily, { username: 'rose' }).username).toBe('rose');
  expect('username' in changed(lily, { username: '' })).toBe(false);
});
