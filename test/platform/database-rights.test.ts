/** What each domain's PostgreSQL role may, and that it is refused everything in every other schema, whatever it tries. */
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { DOMAINS, type Domain, roleOf, schemaOf } from '../../platform/domains.ts';
import { createLogger } from '../../platform/log.ts';
import { migrate } from '../../prisma/migrator.ts';
import { domainUrl } from '../../prisma/roles.ts';
import { copyTemplate } from '../support/databases.ts';

const PAIRS = DOMAINS.flatMap((domain) =>
  DOMAINS.filter((other) => other !== domain).map((other) => ({ domain, other })),
);

let adminUrl: string;
let drop: () => Promise<void>;
const clients = new Map<Domain, pg.Client>();

beforeAll(async () => {
  ({ url: adminUrl, drop } = await copyTemplate(inject('adminUrl')));
  // Rights on the database itself are not copied.
  await migrate({ adminUrl, log: createLogger({ level: 'silent', service: 'test' }) });
  for (const domain of DOMAINS) {
    const client = new pg.Client({ connectionString: domainUrl(adminUrl, domain) });
    await client.connect();
    clients.set(domain, client);
  }
});

afterAll(async () => {
  await Promise.all([...clients.values()].map((client) => client.end()));
  await drop();
});

/** Runs the statement and takes it back: what PostgreSQL says against it, or "done". */
async function attempt(domain: Domain, statement: string): Promise<string> {
  const client = clients.get(domain) as pg.Client;
  await client.query('begin');
  try {
    await client.query(statement);
    return 'done';
  } catch (error) {
    return (error as Error).message;
  } finally {
    await client.query('rollback');
  }
}

/** Those of the statements that were not refused for want of rights, each with what came instead. */
async function allowed(domain: Domain, statements: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const statement of statements) {
    const answer = await attempt(domain, statement);
    if (!REFUSED.test(answer)) found.push(`${statement} → ${answer}`);
  }
  return found;
}

const REFUSED = /^permission denied|^must be (owner|superuser)|^no schema has been selected to create in/;

/** Statements about tables, sequences and functions that every domain's schema has. */
const statements = (schema: string) => [
  `select from ${schema}.change_log`,
  `table ${schema}._prisma_migrations`,
  `copy ${schema}.change_log to stdout`,
  `insert into ${schema}.feed_segment (segment) values (1)`,
  `update ${schema}.feed_state set leader = leader`,
  `delete from ${schema}.captured_tables`,
  `truncate ${schema}.change_log`,
  `lock table ${schema}.feed_state`,
  `select nextval('${schema}.change_log_seq')`,
  `select setval('${schema}.change_log_seq', 1)`,
  `select last_value from ${schema}.change_log_seq`,
  `select ${schema}.log_bytes()`,
  `select ${schema}.health_check()`,
  `do $$ begin perform ${schema}.log_bytes(); end $$`,
  `create table ${schema}.intruder (id int)`,
  `create view ${schema}.intruder as select 1`,
  `create sequence ${schema}.intruder`,
  `create type ${schema}.intruder as (id int)`,
  `create function ${schema}.intruder() returns int language sql as 'select 1'`,
  `alter table ${schema}.feed_state add column intruder int`,
  `drop table ${schema}.feed_ticks`,
  `drop function ${schema}.log_bytes()`,
  `create trigger intruder after insert on ${schema}.feed_state execute function suppress_redundant_updates_trigger()`,
  `create index on ${schema}.change_log (key)`,
  `grant usage on schema ${schema} to public`,
  `grant select on ${schema}.change_log to public`,
];

describe.each(PAIRS)('the role of $domain', ({ domain, other }) => {
  const [own, foreign] = [schemaOf(domain), schemaOf(other)];

  it(`is refused everything in the schema of ${other}`, async () => {
    expect(await allowed(domain, statements(foreign))).toEqual([]);
  });

  it(`finds no other way to ${other}: no search path, no object of its own, no other name`, async () => {
    const ways = [
      `set local search_path = ${foreign}; create table intruder (id int)`,
      `create table ${own}.intruder (segment smallint references ${foreign}.feed_segment)`,
      `create table ${own}.intruder (like ${foreign}.feed_state)`,
      `create table ${own}.intruder () inherits (${foreign}.feed_state)`,
      `create view ${own}.intruder as table ${foreign}.change_log`,
      `create function ${own}.intruder() returns bigint language sql security definer as 'select ${foreign}.log_bytes()'`,
      `create function ${own}.intruder() returns bigint language plpgsql security definer set search_path = ${foreign}
         as 'begin return (select count(*) from ${foreign}.change_log); end'; select ${own}.intruder()`,
      `alter table ${own}.captured_tables set schema ${foreign}`,
      `alter schema ${foreign} rename to intruder`,
      `alter schema ${foreign} owner to current_user`,
      `drop schema ${foreign} cascade`,
      `set role ${roleOf(other)}`,
      `set session authorization ${roleOf(other)}`,
      `grant ${roleOf(other)} to current_user`,
      `reassign owned by ${roleOf(other)} to current_user`,
      `drop owned by ${roleOf(other)}`,
      `alter role ${roleOf(other)} password 'known'`,
      `alter role ${roleOf(other)} set search_path = ${own}`,
      `alter role ${roleOf(other)} in database ${currentDatabase()} set statement_timeout = 1`,
      `drop role ${roleOf(other)}`,
      `alter default privileges for role ${roleOf(other)} grant all on tables to public`,
    ];
    expect(await allowed(domain, ways)).toEqual([]);
    // With the other's schema as its path it simply does not find what is there.
    expect(await attempt(domain, `set local search_path = ${foreign}; table feed_state`)).toMatch('does not exist');
    expect(await attempt(domain, `set local search_path = ${foreign}; select log_bytes()`)).toMatch('does not exist');
  });

  it(`neither sees nor ends what ${other} is doing`, async () => {
    const client = clients.get(domain) as pg.Client;
    const pid = await clients.get(other)?.query('select pg_backend_pid() as pid');
    const { rows } = await client.query('select query from pg_stat_activity where pid = $1', [pid?.rows[0].pid]);
    expect(rows).toEqual([{ query: '<insufficient privilege>' }]);
    expect(await allowed(domain, [`select pg_terminate_backend(${pid?.rows[0].pid})`])).toEqual([]);
    expect(await allowed(domain, [`select pg_cancel_backend(${pid?.rows[0].pid})`])).toEqual([]);
  });
});

describe.each([...DOMAINS])('the role of %s', (domain) => {
  it('may do all of that in its own schema', async () => {
    const all = statements(schemaOf(domain));
    expect((await allowed(domain, all)).length).toBe(all.length);
  });

  it('makes no schemas, roles, databases, extensions or publications, and reaches no files', async () => {
    const attempts = [
      'create schema intruder',
      `alter schema ${schemaOf(domain)} rename to intruder`,
      'create role intruder',
      'create user intruder superuser',
      `alter role ${roleOf(domain)} createrole`,
      `alter role ${roleOf(domain)} superuser`,
      'grant pg_read_all_data to current_user',
      'create extension pgcrypto',
      'create publication intruder for all tables',
      `create event trigger intruder on ddl_command_start execute function ${schemaOf(domain)}.touch_row()`,
      'create table public.intruder (id int)',
      'create temporary table intruder (id int)',
      `select pg_read_file('pg_hba.conf')`,
      `select pg_ls_dir('.')`,
      `copy ${schemaOf(domain)}.feed_state to program 'cat'`,
      `copy ${schemaOf(domain)}.feed_state from '/etc/passwd'`,
      `alter database ${currentDatabase()} set statement_timeout = 1`,
    ];
    expect(await allowed(domain, attempts)).toEqual([]);
    const client = clients.get(domain) as pg.Client; // what follows has no place in a transaction
    await expect(client.query('create database intruder')).rejects.toThrow('permission denied to create database');
    await expect(client.query('alter system set log_statement = none')).rejects.toThrow('permission denied to set');
  });

  it('reads nobody’s password', async () => {
    expect(await allowed(domain, ['table pg_authid', 'table pg_shadow', 'table pg_user_mapping'])).toEqual([]);
    const passwords = await clients.get(domain)?.query('select distinct rolpassword from pg_roles');
    expect(passwords?.rows).toEqual([{ rolpassword: '********' }]);
  });
});

function currentDatabase(): string {
  return new URL(adminUrl).pathname.slice(1);
}
