import { describe, expect, it } from 'vitest';
import { AiloError } from '../../shared/errors/index.ts';
import type { FromPage } from '../messages.ts';
import { createRequests } from './requests.ts';

function page() {
  const said: FromPage[] = [];
  return { said, requests: createRequests((message) => said.push(message)) };
}

describe('requests', () => {
  it('find their own answers, in whatever order those come', async () => {
    const { said, requests } = page();
    const answers = [requests.request({ type: 'words' }), requests.request({ type: 'words' })];
    const [first, second] = said.map((message) => (message as { id: number }).id);
    expect(first).not.toBe(second);
    requests.settle(second!, { ok: true, value: 'two' });
    requests.settle(first!, { ok: true, value: 'one' });
    expect(await Promise.all(answers)).toEqual(['one', 'two']);
  });

  it('reject with the error that was answered', async () => {
    const { requests } = page();
    const answer = requests.request({ type: 'words' });
    const error = AiloError.of('NOT_FOUND', { what: 'wallet' });
    requests.settle(0, { ok: false, error: error.toWire() });
    await expect(answer).rejects.toEqual(error);
  });

  it('all reject when the other side is gone, and what comes later finds nobody', async () => {
    const { requests } = page();
    const answers = [requests.request({ type: 'words' }), requests.request({ type: 'words' })];
    const lost = AiloError.of('ANSWER_LOST', {});
    requests.lose(lost);
    requests.settle(0, { ok: true, value: 'late' });
    requests.settle(7, { ok: true, value: 'never asked' });
    for (const answer of answers) await expect(answer).rejects.toBe(lost);
  });

  it('reject when they cannot be sent', async () => {
    const full = AiloError.of('ANSWER_LOST', {});
    const requests = createRequests(() => {
      throw full;
    });
    await expect(requests.request({ type: 'words' })).rejects.toBe(full);
  });
});
