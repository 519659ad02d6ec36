/** Roles and schemas: the role of each domain, or of its instance, owns its schema and may enter nothing else. */
import pg from 'pg';
import type { Connection } from './engine.ts';

/** Limits of every connection of a domain's role; whoever needs others sets them for a session. */
const ROLE_SETTINGS = {
  statement_timeout: '30s', // domain.md §1.11
  lock_timeout: '10s', // a row is locked for milliseconds: who waits longer waits for a stuck one
  idle_in_transaction_session_timeout: '60s', // a forgotten transaction holds locks and keeps dead rows
  TimeZone: 'UTC',
};

/** Takes from everybody what PostgreSQL gives to everybody in a database. */
export async function closeToPublic(admin: pg.Client): Promise<void> {
  await admin.query(`revoke all on database ${await currentDatabase(admin)} from public`);
  await admin.query('revoke all on schema public from public');
}

/** Makes the connection possible: its role with its password and the right to connect, and its schema. */
export async function provision(admin: pg.Client, connection: Connection): Promise<void> {
  const { username, password } = new URL(connection.url);
  const role = decodeURIComponent(username);
  // Roles are shared by the databases of a server: in another one, the same role may be made at this moment.
  for (let attempt = 1; !(await canConnect(connection)); attempt++) {
    try {
      await makeRole(admin, role, decodeURIComponent(password));
    } catch (error) {
      if (attempt === ATTEMPTS || !MADE_MEANWHILE.test((error as Error).message)) throw error;
    }
    if (attempt > ATTEMPTS) throw new Error(`The role ${role} exists, but cannot connect with its URL.`);
  }
  await makeSchema(admin, connection.schema, role);
  await asRole(connection, async (client) => {
    const target = `${pg.escapeIdentifier(role)} in database ${await currentDatabase(client)}`;
    for (const [name, value] of Object.entries(ROLE_SETTINGS)) {
      await client.query(`alter role ${target} set ${name} = ${pg.escapeLiteral(value)}`);
    }
    await client.query(`alter role ${target} set search_path = ${pg.escapeIdentifier(connection.schema)}`);
    await client.query('alter default privileges revoke execute on routines from public');
  });
}

const ATTEMPTS = 5;
const MADE_MEANWHILE = /already exists|duplicate key|concurrently updated/;

async function makeRole(admin: pg.Client, role: string, password: string): Promise<void> {
  const name = pg.escapeIdentifier(role);
  const { rowCount } = await admin.query('select from pg_roles where rolname = $1', [role]);
  if (rowCount === 0) await admin.query(`create role ${name} login nosuperuser nocreatedb nocreaterole noreplication`);
  await admin.query(`alter role ${name} login password ${pg.escapeLiteral(password)}`);
  await admin.query(`grant connect on database ${await currentDatabase(admin)} to ${name}`);
}

async function makeSchema(admin: pg.Client, schema: string, role: string): Promise<void> {
  const { rows } = await admin.query<{ owner: string }>(
    'select rolname as owner from pg_namespace join pg_roles on pg_roles.oid = nspowner where nspname = $1',
    [schema],
  );
  const owner = rows[0]?.owner;
  if (owner === role) return;
  if (owner) throw new Error(`The schema ${schema} belongs to ${owner}, but ${role} should own it.`);
  const [schemaName, roleName] = [schema, role].map(pg.escapeIdentifier);
  if (!(await mayBecome(admin, role))) await admin.query(`grant ${roleName} to current_user`);
  await admin.query(`create schema ${schemaName} authorization ${roleName}`);
}

/** The schemas beside its own that the connection's role owns in this database: there should be none. */
export async function otherSchemas(connection: Connection): Promise<string[]> {
  return asRole(connection, async (client) => {
    const { rows } = await client.query<{ name: string }>(
      'select nspname as name from pg_namespace where pg_get_userbyid(nspowner) = current_user and nspname <> $1 order by 1',
      [connection.schema],
    );
    return rows.map(({ name }) => name);
  });
}

/** PostgreSQL 16 divided membership: its creator may administer a role, and not yet act as it. */
async function mayBecome(admin: pg.Client, role: string): Promise<boolean> {
  const { rows } = await admin.query<{ may: boolean }>(
    `select pg_has_role(current_user, $1,
       case when current_setting('server_version_num')::int < 160000 then 'member' else 'set' end) as may`,
    [role],
  );
  return rows[0]?.may === true;
}

async function canConnect(connection: Connection): Promise<boolean> {
  try {
    await asRole(connection, async () => {});
    return true;
  } catch (error) {
    if (error instanceof pg.DatabaseError) return false;
    throw error;
  }
}

/** Runs `work` on a connection of the domain's role. */
export async function asRole<Result>(
  { url, schema }: Connection,
  work: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  const client = new pg.Client({ connectionString: url, options: `-c search_path=${schema}` });
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.end();
  }
}

async function currentDatabase(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ name: string }>('select current_database() as name');
  return pg.escapeIdentifier(rows[0]?.name ?? '');
}
