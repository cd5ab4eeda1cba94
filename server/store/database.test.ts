import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { expect, test } from 'vitest';
import { openDatabase } from './database.ts';

test('is durable, migrated, and finds its rows again', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ailo-database-'));
  try {
    const path = join(folder, 'ailo.sqlite');
    const database = await openDatabase(path);
    const pragma = async (name: string) => (await sql.raw(`pragma ${name}`).execute(database)).rows[0];
    expect(await pragma('synchronous')).toEqual({ synchronous: 2 });
    expect(await pragma('journal_mode')).toEqual({ journal_mode: 'wal' });
    await database
      .insertInto('ledger_entry')
      .values({ position: 0, bytes: Uint8Array.of(1, 2) })
      .execute();
    await database.destroy();

    const again = await openDatabase(path);
    const row = await again.selectFrom('ledger_entry').selectAll().executeTakeFirstOrThrow();
    expect([...row.bytes]).toEqual([1, 2]);
    await again.destroy();
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('says so when the file is no database or its folder is missing', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'ailo-database-'));
  try {
    const path = join(folder, 'ailo.sqlite');
    await writeFile(path, 'this is a text file, and a long one at that'.repeat(100));
    await expect(openDatabase(path)).rejects.toMatchObject({ code: 'DATABASE_UNUSABLE' });
    await expect(openDatabase(join(folder, 'no', 'such'))).rejects.toMatchObject({ code: 'DATABASE_UNUSABLE' });
  } finally {
    await rm(folder, { recursive: true });
  }
});
