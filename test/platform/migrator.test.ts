import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createLogger } from '../../platform/log.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../../platform/postgres/embedded.ts';
import { differenceOf } from '../../prisma/difference.ts';
import { migrate } from '../../prisma/migrator.ts';
import { domainUrl } from '../../prisma/roles.ts';
import { createDatabase, withDatabase } from '../support/databases.ts';

/** Two small domains of the migrator's own tests, whatever the real ones become. */
const DOMAINS = ['exchange', 'trading'] as const;
const log = createLogger({ level: 'silent', service: 'test' });

const ACCOUNTS = `
create table accounts (account_id text primary key, balance numeric(24,8) not null default 0);
create function touch() returns trigger language plpgsql as $$
begin
  new.balance := round(new.balance, 2); -- a semicolon; in a comment; and "quotes"
  return new;
end;
$$;
create trigger touch before update on accounts for each row execute function touch();
insert into accounts values ('first;', 1), ('second', 2) -- the last statement has no semicolon`;

let home: string;
let server: EmbeddedPostgres;
let folder: string;
let adminUrl: string;
let databases = 0;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'migrator-test-'));
  server = await startEmbeddedPostgres({ dataDir: join(home, 'postgres'), port: 0, log, durable: false });
});

afterAll(async () => {
  await server.stop();
  await rm(home, { recursive: true, force: true });
});

beforeEach(async () => {
  databases++;
  folder = join(home, `prisma-${databases}`);
  await createDatabase(server.url, `migrated_${databases}`);
  adminUrl = withDatabase(server.url, `migrated_${databases}`);
  await writeMigration('exchange', '20260101000000_init', ACCOUNTS);
  await writeMigration('trading', '20260101000000_init', 'create table strategies (strategy_id text primary key)');
});

async function writeMigration(domain: string, name: string, script: string): Promise<string> {
  const file = join(folder, domain, 'migrations', name, 'migration.sql');
  await mkdir(join(file, '..'), { recursive: true });
  await writeFile(file, script);
  return file;
}

const run = (options: { adminUrl?: string; environment?: NodeJS.ProcessEnv } = {}) =>
  migrate({ adminUrl, log, domains: DOMAINS, folder, environment: {}, ...options });

async function ask(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  try {
    await client.connect();
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

/** A log, and what is warned of in it. */
function listen() {
  const lines: string[] = [];
  return { lines, listening: pino({ level: 'warn' }, { write: (line) => void lines.push(JSON.parse(line).msg) }) };
}

const asAdmin = (text: string) => ask(adminUrl, text);
const asExchange = (text: string) => ask(domainUrl(adminUrl, 'exchange', {}), text);
const historyOf = (schema: string) =>
  asAdmin(`select migration_name as name, finished_at is not null as finished from ${schema}._prisma_migrations
           order by started_at`);

describe('migrating', () => {
  it('applies scripts whole, with functions, comments and quoted semicolons', async () => {
    await run();
    await asExchange(`update accounts set balance = 1.005 where account_id = 'first;'`);
    expect(await asExchange('select * from accounts order by account_id')).toEqual([
      { account_id: 'first;', balance: '1.01000000' },
      { account_id: 'second', balance: '2.00000000' },
    ]);
  });

  it('keeps each domain’s history in its own schema and nothing in public', async () => {
    await run();
    expect(await historyOf('exchange')).toEqual([{ name: '20260101000000_init', finished: true }]);
    expect(await historyOf('trading')).toEqual([{ name: '20260101000000_init', finished: true }]);
    expect(await asAdmin(`select relname from pg_class where relnamespace = 'public'::regnamespace`)).toEqual([]);
  });

  it('does nothing the second time, and the new ones later', async () => {
    await run();
    await run();
    await writeMigration('exchange', '20260102000000_more', 'alter table accounts add column name text');
    await run();
    expect(await historyOf('exchange')).toEqual([
      { name: '20260101000000_init', finished: true },
      { name: '20260102000000_more', finished: true },
    ]);
    expect(await asExchange('select name from accounts')).toEqual([{ name: null }, { name: null }]);
  });

  it('is done once when several start at once, also in two databases of one server', async () => {
    await createDatabase(server.url, `neighbour_${databases}`);
    const neighbour = withDatabase(server.url, `neighbour_${databases}`);
    await Promise.all([run(), run({ adminUrl: neighbour }), run(), run({ adminUrl: neighbour })]);
    expect(await historyOf('exchange')).toEqual([{ name: '20260101000000_init', finished: true }]);
    expect(await ask(neighbour, 'select count(*)::int from exchange.accounts')).toEqual([{ count: 2 }]);
  });
});

describe('a migration that fails', () => {
  const broken = `create table half (id int);
select 1;
alter table accounts
  add column balance numeric;`;

  it('names the file, the line and PostgreSQL’s reason, and leaves nothing behind', async () => {
    await run();
    const file = await writeMigration('exchange', '20260102000000_broken', broken);
    await expect(run()).rejects.toThrow(
      `The exchange schema could not be migrated: ${file}: column "balance" of relation "accounts" already exists`,
    );
    expect(await historyOf('exchange')).toEqual([{ name: '20260101000000_init', finished: true }]);
    expect(await asAdmin(`select to_regclass('exchange.half') as half`)).toEqual([{ half: null }]);
  });

  it('names the line where PostgreSQL knows it', async () => {
    const file = await writeMigration('exchange', '20260102000000_typo', 'select 1;\n\nselect nothing;\n');
    await expect(run()).rejects.toThrow(`${file}:3: column "nothing" does not exist`);
  });

  it('goes through once it is mended', async () => {
    await writeMigration('exchange', '20260102000000_broken', broken);
    await expect(run()).rejects.toThrow();
    await writeMigration('exchange', '20260102000000_broken', 'create table whole (id int)');
    await run();
    expect((await historyOf('exchange')).map(({ name }) => name)).toEqual([
      '20260101000000_init',
      '20260102000000_broken',
    ]);
  });

  it('is not applied twice when the process dies before Prisma has recorded its end', async () => {
    await run();
    const dying = `
      create table once (id int);
      create function die() returns trigger language plpgsql as $$ begin raise 'killed'; end $$;
      create trigger die before update on _prisma_migrations for each row when (old.finished_at is not null)
        execute function die();`;
    await writeMigration('exchange', '20260102000000_once', dying);
    await expect(run()).rejects.toThrow('killed');
    await asAdmin('drop trigger die on exchange._prisma_migrations');
    await run();
    expect(await historyOf('exchange')).toEqual([
      { name: '20260101000000_init', finished: true },
      { name: '20260102000000_once', finished: true },
    ]);
  });
});

describe('roles', () => {
  it('get back the password of their URL when it was changed', async () => {
    await run();
    await asAdmin(`alter role exchange_adapter password 'another'`);
    await expect(asExchange('select 1')).rejects.toThrow('password authentication failed');
    await run();
    expect(await asExchange('select count(*)::int from accounts')).toEqual([{ count: 2 }]);
  });

  it('are those of <DOMAIN>_DATABASE_URL where it is set', async () => {
    const own = new URL(adminUrl);
    own.username = 'exchange_of_ours';
    own.password = 'sécret/with@signs';
    await run({ environment: { EXCHANGE_DATABASE_URL: own.href } });
    expect(await ask(own.href, 'select current_user as me, count(*)::int from accounts')).toEqual([
      { me: 'exchange_of_ours', count: 2 },
    ]);
  });

  it('have short limits and their own search path', async () => {
    await run();
    const settings = `select name, setting from pg_settings where name in
      ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout', 'search_path', 'TimeZone') order by name`;
    expect((await asExchange(settings)).map(({ name, setting }) => `${name}=${setting}`)).toEqual([
      'TimeZone=UTC',
      'idle_in_transaction_session_timeout=60000',
      'lock_timeout=10000',
      'search_path=exchange',
      'statement_timeout=30000',
    ]);
  });

  it('are made by an administrator who is no superuser, in a database that exists', async () => {
    await ask(server.url, `create role operator login createdb createrole password 'operator'`);
    await ask(server.url, 'create database operated owner operator');
    const operator = new URL(withDatabase(server.url, 'operated'));
    operator.username = 'operator';
    operator.password = 'operator';
    // The roles of the other tests belong to another administrator: these are the operator's own.
    const environment = Object.fromEntries(
      DOMAINS.map((domain) => {
        const own = new URL(operator);
        own.username = `operated_${domain}`;
        return [`${domain.toUpperCase()}_DATABASE_URL`, own.href];
      }),
    );
    await run({ adminUrl: operator.href, environment });
    await run({ adminUrl: operator.href, environment });
    expect(await ask(environment.EXCHANGE_DATABASE_URL as string, 'select count(*)::int from accounts')).toEqual([
      { count: 2 },
    ]);
    await expect(ask(environment.TRADING_DATABASE_URL as string, 'table exchange.accounts')).rejects.toThrow(
      'permission denied for schema exchange',
    );
  });

  it('are warned of when their passwords would follow from none', async () => {
    const withoutPassword = new URL(withDatabase(server.url, `trusting_${databases}`));
    await createDatabase(server.url, `trusting_${databases}`);
    process.env.PGPASSWORD = withoutPassword.password;
    withoutPassword.password = '';
    const { lines, listening } = listen();
    try {
      await migrate({ adminUrl: withoutPassword.href, log: listening, domains: ['trading'], folder, environment: {} });
    } finally {
      delete process.env.PGPASSWORD;
    }
    expect(lines).toEqual([expect.stringContaining('can be guessed')]);
  });

  it('are warned of when one owns what others should keep from it', async () => {
    const shared = new URL(adminUrl);
    shared.username = 'shared_by_two';
    const environment = { EXCHANGE_DATABASE_URL: shared.href, TRADING_DATABASE_URL: shared.href };
    const { lines, listening } = listen();
    await migrate({ adminUrl, log: listening, domains: DOMAINS, folder, environment });
    expect(lines).toEqual([expect.stringContaining('the role of this schema owns others too')]);
  });

  it('are those of the instance where one is named, beside the singleton’s', async () => {
    await run();
    const environment = { EXCHANGE_INSTANCE: 'lh' };
    await run({ environment });
    const ofInstance = domainUrl(adminUrl, 'exchange', environment);
    await ask(ofInstance, `delete from accounts where account_id = 'second'`);
    expect(
      await ask(ofInstance, 'select current_user as me, current_schema() as here, count(*)::int from accounts'),
    ).toEqual([{ me: 'exchange_lh_adapter', here: 'exchange_lh', count: 1 }]);
    expect(await asExchange('select count(*)::int from accounts')).toEqual([{ count: 2 }]);
    expect(await historyOf('exchange_lh')).toEqual([{ name: '20260101000000_init', finished: true }]);
    expect(await asAdmin(`select nspname from pg_namespace where nspname like 'trading%'`)).toEqual([
      { nspname: 'trading' },
    ]);
  });

  it('take no schema that belongs to somebody else', async () => {
    await asAdmin('create schema exchange');
    await expect(run()).rejects.toThrow('The schema exchange belongs to postgres, but exchange_adapter should own it.');
  });
});

describe('the difference to schema.prisma', () => {
  const connection = () => ({ url: domainUrl(adminUrl, 'exchange', {}), schema: 'exchange' });
  const model = (fields: string) => `datasource db {
  provider = "postgresql"
}
model Account {
  accountId String @id @map("account_id")
  balance Decimal @default(0) @db.Decimal(24, 8)
  ${fields}
  @@map("accounts")
}
`;

  it('is empty when both say the same', async () => {
    await run();
    await writeFile(join(folder, 'exchange', 'schema.prisma'), model(''));
    expect(await differenceOf('exchange', connection(), folder)).toBe('');
  });

  it('is a script that makes them the same', async () => {
    await run();
    await writeFile(join(folder, 'exchange', 'schema.prisma'), model('name String?\n  @@index([name])'));
    const script = await differenceOf('exchange', connection(), folder);
    expect(script).toContain('ADD COLUMN     "name" TEXT');
    await writeMigration('exchange', '20260102000000_name', script);
    await run();
    expect(await differenceOf('exchange', connection(), folder)).toBe('');
  });
});
