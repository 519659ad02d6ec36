import { randomBytes } from 'node:crypto';
import pg from 'pg';
import type { Logger } from '../../platform/log.ts';
import { migrate } from '../../prisma/migrator.ts';

/** A migrated, empty database that others are copied from. */
export const TEMPLATE = 'graph_template';

/** The URL with another database's name. */
export function withDatabase(url: string, database: string): string {
  const changed = new URL(url);
  changed.pathname = `/${database}`;
  return changed.href;
}

async function administer(adminUrl: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: adminUrl });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

export async function createDatabase(adminUrl: string, name: string): Promise<void> {
  await administer(adminUrl, `create database ${name}`);
}

/** Makes the template that `copyTemplate` copies. */
export async function prepareTemplate(adminUrl: string, log: Logger): Promise<void> {
  await createDatabase(adminUrl, TEMPLATE);
  await migrate({ adminUrl: withDatabase(adminUrl, TEMPLATE), log });
}

/** A database of one's own, a copy of the migrated template. Gives its administrator's URL and the way to drop it. */
export async function copyTemplate(adminUrl: string): Promise<{ url: string; drop: () => Promise<void> }> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  await administer(adminUrl, `create database ${name} template ${TEMPLATE} strategy file_copy`);
  return {
    url: withDatabase(adminUrl, name),
    drop: () => administer(adminUrl, `drop database ${name} with (force)`),
  };
}
