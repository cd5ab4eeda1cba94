import { beforeAll, describe, expect, it, vi } from 'vitest';

describe('settingsOf', () => {
  // The build sets it.
  beforeAll(() => vi.stubGlobal('AILO_COORDINATOR_URL', 'http://127.0.0.1:8790'));

  it('puts what was stored over the defaults, and knows the choice of training that was a yes or no', async () => {
    const { settingsOf } = await import('./settings.ts');
    expect(settingsOf()).toMatchObject({ training: 'public', contributing: false });
    expect(settingsOf({ training: true, contributing: true })).toMatchObject({
      training: 'public',
      contributing: true,
    });
    expect(settingsOf({ training: false })).toMatchObject({ training: 'off' });
    expect(settingsOf({ training: 'local' })).toMatchObject({ training: 'local' });
  });
});
