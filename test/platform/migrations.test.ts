/** What holds for the migrations of every domain, whatever its tables are. */
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { DOMAINS, type Domain, roleOf, schemaOf } from '../../platform/domains.ts';
import { createLogger } from '../../platform/log.ts';
import { differenceOf } from '../../prisma/difference.ts';
import { migrate } from '../../prisma/migrator.ts';
import { domainUrl } from '../../prisma/roles.ts';
import { createDatabase, withDatabase } from '../support/databases.ts';

// Not a copy of the template: rights on the database itself are not copied.
const name = `migrations_${randomBytes(6).toString('hex')}`;
let adminUrl: string;
let admin: pg.Client;
const clients = new Map<Domain, pg.Client>();

beforeAll(async () => {
  await createDatabase(inject('adminUrl'), name);
  adminUrl = withDatabase(inject('adminUrl'), name);
  await migrate({ adminUrl, log: createLogger({ level: 'silent', service: 'test' }) });
  admin = new pg.Client({ connectionString: adminUrl });
  await admin.connect();
  for (const domain of DOMAINS) {
    const client = new pg.Client({ connectionString: domainUrl(adminUrl, domain) });
    await client.connect();
    clients.set(domain, client);
  }
});

afterAll(async () => {
  await Promise.all([admin, ...clients.values()].map((client) => client.end()));
  const server = new pg.Client({ connectionString: inject('adminUrl') });
  await server.connect();
  await server.query(`drop database ${name} with (force)`);
  await server.end();
});

const as = (domain: Domain) => clients.get(domain) as pg.Client;

async function tablesOf(domain: Domain): Promise<string[]> {
  const { rows } = await admin.query(
    `select relname as name from pg_class
     where relnamespace = $1::regnamespace and relkind in ('r', 'p') and not relispartition order by relname`,
    [schemaOf(domain)],
  );
  return rows.map((row) => row.name as string);
}

describe.each(DOMAINS)('the role of %s', (domain) => {
  const others = DOMAINS.filter((other) => other !== domain);

  it('may do nothing that concerns the server', async () => {
    const { rows } = await admin.query(
      `select rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls from pg_roles where rolname = $1`,
      [roleOf(domain)],
    );
    expect(rows).toEqual([
      { rolsuper: false, rolcreatedb: false, rolcreaterole: false, rolreplication: false, rolbypassrls: false },
    ]);
  });

  it.each(others)('is denied everything in %s', async (other) => {
    const tables = await tablesOf(other);
    expect(tables.length).toBeGreaterThan(3);
    for (const table of tables) {
      await expect(as(domain).query(`select from ${schemaOf(other)}.${table}`)).rejects.toThrow(
        `permission denied for schema ${schemaOf(other)}`,
      );
    }
    const denied = `permission denied for schema ${schemaOf(other)}`;
    await expect(as(domain).query(`create table ${schemaOf(other)}.intruder (id int)`)).rejects.toThrow(denied);
    await expect(as(domain).query(`select ${schemaOf(other)}.health_check()`)).rejects.toThrow(denied);
    await expect(as(domain).query(`set role ${roleOf(other)}`)).rejects.toThrow('permission denied to set role');
  });

  it('is denied the public schema, schemas of its own making and temporary tables', async () => {
    await expect(as(domain).query('create table public.intruder (id int)')).rejects.toThrow(
      'permission denied for schema public',
    );
    await expect(as(domain).query('create schema intruder')).rejects.toThrow('permission denied for database');
    await expect(as(domain).query('create temporary table intruder (id int)')).rejects.toThrow(
      'permission denied to create temporary tables',
    );
    const { rows } = await as(domain).query(`select has_schema_privilege('public', 'usage') as usage`);
    expect(rows).toEqual([{ usage: false }]);
  });

  it('owns its schema with all that is in it, and nothing else', async () => {
    const { rows } = await admin.query(
      `select n.nspname as schema, pg_get_userbyid(c.relowner) as owner, count(*) > 0 as some
       from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where n.nspname = $1 or pg_get_userbyid(c.relowner) = $2
       group by n.nspname, c.relowner`,
      [schemaOf(domain), roleOf(domain)],
    );
    expect(rows.filter(({ schema }) => schema !== 'pg_toast')).toEqual([
      { schema: schemaOf(domain), owner: roleOf(domain), some: true },
    ]);
    const schemas = await admin.query('select nspname from pg_namespace where pg_get_userbyid(nspowner) = $1', [
      roleOf(domain),
    ]);
    expect(schemas.rows).toEqual([{ nspname: schemaOf(domain) }]);
  });
});

it('nobody else may enter a schema, its functions, or the database', async () => {
  await admin.query(`create role stranger_${name} login password 'stranger'`);
  const stranger = new URL(adminUrl);
  stranger.username = `stranger_${name}`;
  stranger.password = 'stranger';
  const client = new pg.Client({ connectionString: stranger.href });
  client.on('error', () => {}); // it is refused
  await expect(client.connect()).rejects.toThrow(`permission denied for database "${name}"`);
  for (const domain of DOMAINS) {
    const { rows } = await admin.query(
      `select has_schema_privilege($1, $2, 'usage') as usage,
              has_function_privilege($1, $2 || '.health_check()', 'execute') as execute`,
      [`stranger_${name}`, schemaOf(domain)],
    );
    expect(rows).toEqual([{ usage: false, execute: false }]);
  }
  await admin.query(`drop role stranger_${name}`);
});

describe.each(DOMAINS)('the schema of %s', (domain) => {
  const schema = schemaOf(domain);

  it('is what its schema.prisma says', async () => {
    expect(await differenceOf(domain, { url: domainUrl(adminUrl, domain), schema })).toBe('');
  });

  it('reports its health', async () => {
    const { rows } = await as(domain).query('select health_check() as health');
    expect(rows[0].health).toMatchObject({ schema, status: 'healthy', tables: (await tablesOf(domain)).length });
  });

  it('has a version that every update raises, whoever writes, where updates are not refused', async () => {
    const { rows } = await admin.query(
      `select c.relname as name, exists (
         select from pg_trigger t join pg_proc p on p.oid = t.tgfoid
         where t.tgrelid = c.oid and p.proname in ('touch_row', 'refuse_change') and t.tgenabled <> 'D') as touched
       from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'version'
       where c.relnamespace = $1::regnamespace and c.relkind in ('r', 'p') and not c.relispartition`,
      [schema],
    );
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.filter(({ touched }) => !touched)).toEqual([]);
  });

  it('refers to no other schema, and deletes nothing on its own', async () => {
    const { rows } = await admin.query(
      `select conname, confdeltype, target.relnamespace::regnamespace::text as target
       from pg_constraint join pg_class source on source.oid = conrelid join pg_class target on target.oid = confrelid
       where contype = 'f' and source.relnamespace = $1::regnamespace
         and (target.relnamespace <> source.relnamespace or confdeltype not in ('r', 'a'))`,
      [schema],
    );
    expect(rows).toEqual([]);
  });
});
