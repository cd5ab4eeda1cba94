import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: { include: ['{shared,server,extension}/**/*.test.ts'], testTimeout: 30_000 },
});
