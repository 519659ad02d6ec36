/** What the role of the audit may do with the trail, and that what a superuser does behind its back is found. */
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { openDatabase } from '../../../platform/database/database.ts';
import { inTransaction } from '../../../platform/database/transaction.ts';
import { createLogger } from '../../../platform/log.ts';
import type { ServiceParts } from '../../../platform/subgraph.ts';
import { domainUrl } from '../../../prisma/roles.ts';
import { Chains } from '../../../subgraphs/audit/chain/chains.ts';
import { append } from '../../../subgraphs/audit/trail/append.ts';
import { content, randomFrom } from '../../rules/audit/tampering.ts';
import { copyTemplate } from '../../support/databases.ts';

const log = createLogger({ level: 'silent', service: 'test' });
const LENGTH = 30;

let adminUrl: string;
let drop: () => Promise<void>;
let own: pg.Client;
let admin: pg.Client;
let db: ReturnType<typeof openDatabase>;
let chains: Chains;

const connect = async (url: string) => {
  const client = new pg.Client({ connectionString: url, options: '-c search_path=audit -c TimeZone=UTC' });
  await client.connect();
  return client;
};

beforeAll(async () => {
  ({ url: adminUrl, drop } = await copyTemplate(inject('adminUrl')));
  own = await connect(domainUrl(adminUrl, 'audit'));
  admin = await connect(adminUrl);
  db = openDatabase({ url: domainUrl(adminUrl, 'audit'), schema: 'audit', log });
  const parts = { db, log, now: () => new Date(), feed: { ring: () => undefined }, redisPrefix: 'audit:' };
  chains = new Chains(parts as unknown as ServiceParts);
  const contents = Array.from({ length: LENGTH }, (_, i) => content(i));
  await inTransaction(db, (tx) => append(tx, db, contents, new Date()));
});

afterAll(async () => {
  await Promise.all([own.end(), admin.end(), db.close()]);
  await drop();
});

/** What PostgreSQL says against a statement, which is taken back in any case. */
async function attempt(client: pg.Client, statement: string): Promise<string> {
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

describe('the role of the audit', () => {
  it('reads and adds', async () => {
    expect(await attempt(own, 'select * from audit_events, sealed_events, chain_heads limit 1')).toBe('done');
    const again = `insert into audit_events (event_id, chain_id, sequence, timestamp, received_at, trace_id, service_name, event_type,
                     category, severity, origin, prev_hash, hash)
                   select 'another', chain_id, 99, timestamp, received_at, trace_id, service_name, event_type, category,
                          severity, origin, prev_hash, hash from audit_events limit 1`;
    expect(await attempt(own, again)).toBe('done');
  });

  it.each([
    `update audit_events set event_type = 'other'`,
    `update audit_events_20260101 set event_type = 'other'`,
    'delete from audit_events',
    'delete from audit_events_20260101',
    'truncate audit_events',
    'truncate audit_events_20260101',
    'update archived_events set event_type = null',
    'delete from archived_events',
    'delete from sealed_events',
    'truncate sealed_events cascade',
    `update sealed_events set event_id = 'other'`,
    'update sealed_events set sequence = sequence + 1',
    'delete from chain_heads',
    `update chain_heads set chain_id = 'other'`,
    'delete from chain_breaks',
    `update chain_breaks set kind = 'gap'`,
    'delete from chain_anchors',
    `update chain_anchors set hash = ''`,
    'delete from archived_ranges',
    'update archived_ranges set event_count = 1',
  ])('may not: %s', async (statement) => {
    expect(await attempt(own, statement)).toMatch(/^permission denied for table/);
  });

  it('moves a status on, and a head, and neither back', async () => {
    expect(await attempt(own, `update sealed_events set status = 'processed', processed_at = now()`)).toBe('done');
    const twice = `update sealed_events set status = 'processed'; update sealed_events set status = 'pending'`;
    expect(await attempt(own, twice)).toBe('an event that is processed cannot become pending');
    expect(await attempt(own, 'update chain_heads set sequence = sequence - 1')).toBe('a chain only goes on');
    const mended = `update chain_heads set state = 'broken'; update chain_heads set state = 'intact'`;
    expect(await attempt(own, mended)).toBe('a chain only goes on');
  });

  it('has triggers in its way as well, which no replication role lifts', async () => {
    const granted = 'grant update, delete, truncate on audit_events, audit_events_20260101 to current_user;';
    const replica = `${granted} set local session_replication_role = replica;`;
    for (const prefix of [granted, replica]) {
      const as = prefix === replica ? admin : own;
      expect(await attempt(as, `${prefix} delete from audit_events`)).toMatch('append-only');
      expect(await attempt(as, `${prefix} update audit_events set event_type = 'x'`)).toMatch('append-only');
      expect(await attempt(as, `${prefix} truncate audit_events_20260101`)).toMatch('append-only');
    }
  });
});

/** Each is done by a superuser who has put the triggers aside, in a transaction that is taken back after verification. */
const TAMPERS: Record<string, (at: number, other: number) => string> = {
  'change a column': (at) => `update audit_events set entity_id = entity_id || 'x' where sequence = ${at}`,
  'change an amount': (at) => `update audit_events set payload = payload || '{"price": "101"}' where sequence = ${at}`,
  'change a number beyond a double': (at) =>
    `update audit_events set metadata = jsonb_set(metadata, '{nested,count}', '${at - 1}.00000000000000000001') where sequence = ${at}`,
  'move an instant': (at) =>
    `update audit_events set timestamp = timestamp + interval '1 microsecond' where sequence = ${at}`,
  'delete one': (at) => `delete from audit_events where sequence = ${at}`,
  'delete several': (at) => `delete from audit_events where sequence between ${at} and ${at} + 3`,
  'let two change places': (at, other) =>
    `update audit_events set sequence = case when sequence = ${at} then ${other} else ${at} end where sequence in (${at}, ${other})`,
  'cut the end off': (at) => `delete from audit_events where sequence >= ${at}`,
  'cut the end off, head and all': (at) =>
    `delete from audit_events where sequence >= ${at};
     update chain_heads set sequence = ${at} - 1,
       hash = coalesce((select hash from audit_events where sequence = ${at} - 1), repeat('0', 64))`,
  'put one in twice': (at) =>
    `insert into audit_events (event_id, chain_id, sequence, timestamp, received_at, trace_id, service_name, event_type, category,
       severity, origin, prev_hash, hash)
     select 'forged', chain_id, sequence, timestamp, received_at, trace_id, service_name, event_type, category, severity, origin,
            prev_hash, hash from audit_events where sequence = ${at}`,
  'give it another hash': (at) => `update audit_events set hash = repeat('ab', 32) where sequence = ${at}`,
};

describe('a superuser', () => {
  it('changes, deletes, reorders, truncates and forges, and is found each time, at the place', async () => {
    const [row] = (await admin.query('select hash from chain_heads')).rows;
    const anchors = [{ sequence: LENGTH, hash: row.hash }];
    chains.anchors.read = async () => anchors; // as it was written down before
    expect(await chains.verify('audit:trading')).toMatchObject({ isValid: true, checkedCount: LENGTH });
    const random = randomFrom(11);
    for (const [name, tamper] of Object.entries(TAMPERS)) {
      for (let i = 0; i < 4; i++) {
        const at = 1 + Math.floor(random() * LENGTH);
        const other = 1 + ((at + Math.floor(random() * (LENGTH - 1))) % LENGTH);
        const found = await tampered(tamper(at, other));
        expect({ name, at, other, found }).toMatchObject({ name, found: { isValid: false } });
        const place = Number(found?.firstBreak?.sequence);
        const first = name.startsWith('let two') ? Math.min(at, other) : at;
        expect({ name, at, other, isAtPlace: place === first }).toMatchObject({ name, isAtPlace: true });
      }
    }
    expect(await chains.verify('audit:trading')).toMatchObject({ isValid: true });
  });
});

/** The verdict while it is so; everything is put back afterwards. */
async function tampered(statement: string) {
  await admin.query(`create table kept as select * from audit_events; create table kept_head as table chain_heads`);
  await lift(`${statement}`);
  const verdict = await chains.verify('audit:trading');
  await lift(
    `delete from chain_breaks; delete from audit_events; delete from chain_heads; insert into chain_heads table kept_head`,
  );
  const { rows } = await admin.query(
    `select string_agg(quote_ident(attname), ', ') as columns from pg_attribute
      where attrelid = 'audit_events'::regclass and attnum > 0 and attgenerated = '' and not attisdropped`,
  );
  await admin.query(
    `insert into audit_events (${rows[0].columns}) select ${rows[0].columns} from kept; drop table kept, kept_head`,
  );
  return verdict;
}

async function lift(statement: string): Promise<void> {
  const tables = ['audit_events', 'chain_heads'];
  for (const table of tables) await admin.query(`alter table ${table} disable trigger all`);
  await admin.query(statement);
  await admin.query('alter table audit_events enable trigger all');
  await admin.query('alter table chain_heads enable trigger all');
}
