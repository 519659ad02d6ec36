/**
 * A command is one transaction: its idempotency record, its row locks, its rules and its rows commit together or not
 * at all. What it refuses comes back in the payload; a repeat of its key gives the first answer again.
 */
import { readTokenOf } from './cache/reading.ts';
import { openTransaction, type RawStatements, type Transaction } from './command-transaction.ts';
import type { SubgraphContext } from './context.ts';
import { toRows } from './database/command-rows.ts';
import { isOutOfRange, isRetryable, isUnreachable } from './database/database-error.ts';
import type { Answer } from './database/message.ts';
import { named, type Sql, sql } from './database/sql.ts';
import { belongsTo, Transaction as Connection, statementOf } from './database/transaction.ts';
import type { Domain } from './domains.ts';
import { Refusal, refuse, type UserError } from './errors.ts';
import { answersKept, claimKeys, idempotencyKeyOf, type KeyedRequest, requestHash } from './idempotency.ts';
import { traceparentOf } from './trace.ts';

export type { Transaction } from './command-transaction.ts';

/** A small JSON of what the command made or changed: ids, counts. The payload's resolvers load the rest. */
export type CommandResult = object;

export type CommandPayload<Result> = Partial<Result> & {
  errors: UserError[];
  /** Names the transaction, for readers that must see what it did; null where nothing was done. */
  readToken?: string | null;
};

const PATIENCE_MS = 30_000; // 30 seconds
const ATTEMPTS = 6;
const RETRY_BASE_MS = 10; // doubled at each attempt, with jitter

/**
 * Runs `work` in one READ COMMITTED transaction and gives its result with `errors: []`, or the refusal it threw.
 * Deadlocks and serialization failures are run again. With `input.idempotencyKey`, the first answer (a refusal too)
 * is kept 24 hours and given again for the same operation and content; other content is refused.
 */
export async function command<Client, Result extends CommandResult>(
  context: SubgraphContext<Client>,
  operation: string,
  input: object,
  work: (tx: Transaction<Client>) => Promise<Result>,
): Promise<CommandPayload<Result>> {
  let mayBeDone = false;
  let key: string | null = null;
  const run = async (): Promise<CommandPayload<Result>> => {
    const opening = [statementOf(belongsTo(context.traceparent))];
    const connection = new Connection(context.db.pool, { opening, patienceMs: PATIENCE_MS });
    const { tx, end } = openTransaction<Client>(connection, context.prisma);
    try {
      const payload =
        key === null
          ? await work(tx)
          : await once(connection, tx, { key, operation, hash: requestHash(operation, input) }, context.domain, work);
      await end();
      const xid = await context.cache.expect({ $queryRaw: (ownWrites) => commitWith(connection, ownWrites) });
      if (key !== null) return payload as CommandPayload<Result>;
      return {
        ...payload,
        errors: [],
        readToken: readTokenOf(context.domain, xid),
      } as unknown as CommandPayload<Result>;
    } catch (error) {
      mayBeDone = connection.isCommitting;
      await end();
      await connection.rollback();
      throw error;
    }
  };
  try {
    key = idempotencyKeyOf(input);
    const payload = await withRetries(run);
    context.feed.ring();
    return payload;
  } catch (error) {
    if (error instanceof Refusal) return failed<Result>(error);
    if (isOutOfRange(error))
      return failed<Result>(refuse.validation('A number is larger than can be kept.', ['input']));
    if (isUnreachable(error)) {
      context.log.warn({ err: error, operation }, 'the database does not answer');
      return failed<Result>(refuse.domainUnavailable(context.domain, mayBeDone));
    }
    throw error;
  }
}

/** Commits, and gives the rows of a statement that goes with the commit. */
async function commitWith<Rows>(connection: Connection, statement: Sql): Promise<Rows> {
  connection.askLast(statementOf(statement));
  const answers = await connection.commit();
  return toRows(answers.at(-1) as Answer) as Rows;
}

/**
 * The context in which a transaction goes on with the trace of what it has found: what it writes from now on belongs to
 * that, though nobody's request made it. Null is found where no trace is known; the command's own goes on.
 */
export async function goOnWith<Context extends SubgraphContext<unknown, unknown>>(
  tx: RawStatements,
  context: Context,
  traceId: string | null,
): Promise<Context> {
  if (traceId === null) return context;
  const traceparent = traceparentOf(traceId);
  await tx.$executeRaw(belongsTo(traceparent));
  return { ...context, traceId, traceparent };
}

/** The payload of a command that was refused. */
export function failed<Result>(refusal: Refusal): CommandPayload<Result> {
  return { errors: [refusal.userError], readToken: null } as unknown as CommandPayload<Result>;
}

async function withRetries<Result>(run: () => Promise<Result>): Promise<Result> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await run();
    } catch (error) {
      if (attempt === ATTEMPTS || !isRetryable(error)) throw error;
      const pause = RETRY_BASE_MS * 2 ** attempt * (0.5 + Math.random());
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
}

const OWN_XID = named('own xid', sql`select pg_current_xact_id()::text as xid`);
const SAVEPOINT = named('savepoint', sql`savepoint work`);
const BACK_TO_SAVEPOINT = sql`rollback to savepoint work`;

/**
 * Claims the key, or gives the answer it stands for. A second holder of the key waits at the insert until the first
 * has committed. The work runs behind a savepoint, so that a refusal undoes its rows and keeps the record.
 */
async function once<Client, Result extends CommandResult>(
  connection: Connection,
  tx: Transaction<Client>,
  request: KeyedRequest,
  domain: Domain,
  work: (tx: Transaction<Client>) => Promise<Result>,
): Promise<CommandPayload<Result>> {
  const [taken, [own]] = await Promise.all([
    claimKeys(tx, [request]),
    tx.$queryRaw<{ xid: string }[]>(OWN_XID),
    tx.$executeRaw(SAVEPOINT),
  ]);
  const { key, hash } = request;
  const kept = taken.get(key);
  if (kept) return replayed<Result>(key, hash, kept);

  const done = { errors: [], readToken: readTokenOf(domain, Number(own?.xid)) };
  const payload = await work(tx).then(
    (result) => ({ ...result, ...done }) as unknown as CommandPayload<Result>,
    async (error: unknown) => {
      if (!(error instanceof Refusal) || error.userError.code === 'DOMAIN_UNAVAILABLE') throw error;
      connection.forgetLast();
      await tx.$executeRaw(BACK_TO_SAVEPOINT);
      return failed<Result>(error);
    },
  );
  tx.$atCommit(answersKept([{ key, payload }]));
  return payload;
}

/**
 * The first answer of a key that is taken.
 * @throws Refusal (idempotency conflict) when it stands for something else
 */
export function replayed<Result>(
  key: string,
  hash: string,
  kept: { hash: string; result: unknown },
): CommandPayload<Result> {
  if (kept.hash !== hash) throw refuse.idempotencyConflict(key);
  return kept.result as CommandPayload<Result>;
}

/**
 * The value or refusal of work that a command does before its transaction (asking another domain), to be had within it:
 * a repeat of the command must meet neither.
 */
export async function beforehand<Value>(domain: string, work: () => Promise<Value>): Promise<() => Value> {
  try {
    const value = await work();
    return () => value;
  } catch (error) {
    const refusal = isUnreachable(error) ? refuse.domainUnavailable(domain) : error;
    if (!(refusal instanceof Refusal)) throw refusal;
    return () => {
      throw refusal;
    };
  }
}
