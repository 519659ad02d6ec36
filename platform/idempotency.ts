/** Answers of commands by their idempotency key: claimed and kept in the transaction of the command, for 24 hours. */
import { createHash } from 'node:crypto';
import { named, type Sql, sql } from './database/sql.ts';
import { boundedText } from './texts.ts';

const KEY_LENGTH_LIMIT = 200;

/** What a key stands for: the same operation with the same content has the same hash. */
export interface KeyedRequest {
  key: string;
  operation: string;
  hash: string;
}

interface KeptAnswer {
  hash: string;
  result: unknown;
}

interface Statements {
  $queryRaw<Rows>(statement: Sql): Promise<Rows>;
  $executeRaw(statement: Sql): Promise<number>;
}

/**
 * The key of a command's input, or null.
 * @throws Refusal (validation) when it is empty, too long or no valid text
 */
export function idempotencyKeyOf(input: object): string | null {
  const key = (input as { idempotencyKey?: string | null }).idempotencyKey ?? null;
  return key === null ? null : boundedText(key, KEY_LENGTH_LIMIT, ['input', 'idempotencyKey']);
}

/**
 * Claims the keys, each given once; what a key that is taken stands for is in the map. A second holder of a key waits
 * until the first has committed; keys are claimed in one order, so that two never deadlock.
 */
export async function claimKeys(tx: Statements, requests: readonly KeyedRequest[]): Promise<Map<string, KeptAnswer>> {
  const columns = [requests.map(({ key }) => key), requests.map(({ operation }) => operation)];
  const hashes = requests.map(({ hash }) => hash);
  const claim = sql`
    insert into idempotency_keys as kept (key, operation, request_hash)
    select * from unnest(${columns[0]}::text[], ${columns[1]}::text[], ${hashes}::text[]) as asked(key, operation, hash)
     order by key
    on conflict (key) do update
       set operation = excluded.operation, request_hash = excluded.request_hash, result = null, created_at = now()
     where kept.created_at < now() - interval '24 hours'
    returning key`;
  const claimed = await tx.$queryRaw<{ key: string }[]>(named('claim keys', claim));
  if (claimed.length === requests.length) return new Map();
  const own = new Set(claimed.map(({ key }) => key));
  const taken = requests.map(({ key }) => key).filter((key) => !own.has(key));
  const kept = await tx.$queryRaw<{ key: string; hash: string; result: unknown }[]>(
    sql`select key, request_hash as hash, result from idempotency_keys where key = any(${taken}::text[])`,
  );
  return new Map(kept.map(({ key, hash, result }) => [key, { hash, result }]));
}

/** Keeps what the claimed keys stand for from now on. */
export async function keepAnswers(tx: Statements, answers: readonly { key: string; payload: object }[]): Promise<void> {
  await tx.$executeRaw(answersKept(answers));
}

/** The statement that does so. */
export function answersKept(answers: readonly { key: string; payload: object }[]): Sql {
  const keys = answers.map(({ key }) => key);
  const payloads = answers.map(({ payload }) => JSON.stringify(payload));
  return named(
    'keep answers',
    sql`
    update idempotency_keys as kept set result = answer.payload::jsonb
      from unnest(${keys}::text[], ${payloads}::text[]) as answer(key, payload)
     where kept.key = answer.key`,
  );
}

/** Gives up keys that were claimed in this transaction: they stand for nothing. */
export async function releaseKeys(tx: Statements, keys: readonly string[]): Promise<void> {
  await tx.$executeRaw(sql`delete from idempotency_keys where key = any(${[...keys]}::text[])`);
}

/** Same operation and content, same hash, whatever the order of the input's fields. */
export function requestHash(operation: string, input: object): string {
  const { idempotencyKey: _, ...content } = input as Record<string, unknown>;
  return createHash('sha256')
    .update(JSON.stringify([operation, sortKeys(content)]))
    .digest('hex');
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).filter(([, field]) => field !== undefined && field !== null);
  return Object.fromEntries(
    entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, field]) => [name, sortKeys(field)]),
  );
}
