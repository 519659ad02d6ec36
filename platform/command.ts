/**
 * A command is one transaction: its idempotency record, its row locks, its rules and its rows commit together or not
 * at all. What it refuses comes back in the payload; a repeat of its key gives the first answer again.
 */
import { readTokenOf } from './cache/reading.ts';
import type { SubgraphContext } from './context.ts';
import { databaseFault, isOutOfRange, isRetryable, isUnreachable } from './database/database-error.ts';
import type { Sql } from './database/sql.ts';
import { sql } from './database/sql.ts';
import { belongsTo } from './database/transaction.ts';
import { Refusal, refuse, type UserError } from './errors.ts';
import { claimKeys, idempotencyKeyOf, keepAnswers, requestHash } from './idempotency.ts';
import { traceparentOf } from './trace.ts';

/** What a command may do with Prisma inside its transaction. */
export type Transaction<Client> = Omit<
  Client,
  '$connect' | '$disconnect' | '$on' | '$transaction' | '$use' | '$extends'
>;

interface RawStatements {
  $queryRaw<Rows>(statement: Sql): Promise<Rows>;
  $executeRaw(statement: Sql): Promise<number>;
}

interface Transactional {
  $transaction<Result>(
    work: (tx: never) => Promise<Result>,
    options: { maxWait: number; timeout: number },
  ): Promise<Result>;
}

/** A small JSON of what the command made or changed: ids, counts. The payload's resolvers load the rest. */
export type CommandResult = object;

export type CommandPayload<Result> = Partial<Result> & {
  errors: UserError[];
  /** Names the transaction, for readers that must see what it did; null where nothing was done. */
  readToken?: string | null;
};

const START_TIMEOUT_MS = 10_000; // 10 seconds: a free connection is not to be had, say so
const RUN_TIMEOUT_MS = 30_000; // 30 seconds
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
  let xid = 0;
  let key: string | null = null;
  const run = async (tx: unknown): Promise<CommandPayload<Result>> => {
    xid = 0;
    await (tx as RawStatements).$executeRaw(belongsTo(context.traceparent));
    const perform = async () => {
      const result = await work(tx as Transaction<Client>);
      xid = await context.cache.expect(tx as RawStatements);
      const payload = { ...result, errors: [], readToken: readTokenOf(context.domain, xid) };
      return payload as unknown as CommandPayload<Result>;
    };
    if (key === null) return perform();
    return once(tx as RawStatements, key, operation, requestHash(operation, input), perform);
  };
  const giveUp = (error: unknown) => {
    if (!isUnreachable(error)) context.cache.rolledBack(xid); // else it may be committed all the same
    throw error;
  };
  try {
    key = idempotencyKeyOf(input);
    const payload = await withRetries(() => transact(context, run).catch(giveUp));
    context.feed.ring();
    return payload;
  } catch (error) {
    if (error instanceof Refusal) return failed<Result>(error);
    if (isOutOfRange(error))
      return failed<Result>(refuse.validation('A number is larger than can be kept.', ['input']));
    if (isUnreachable(error) || isPoolExhausted(error)) {
      context.log.warn({ err: error, operation }, 'the database does not answer');
      return failed<Result>(refuse.domainUnavailable(context.domain, xid !== 0));
    }
    throw error;
  }
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

function transact<Client, Result>(
  context: SubgraphContext<Client>,
  work: (tx: unknown) => Promise<Result>,
): Promise<Result> {
  const prisma = context.prisma as Transactional;
  return prisma.$transaction(work, {
    maxWait: START_TIMEOUT_MS,
    timeout: RUN_TIMEOUT_MS,
  });
}

/** Prisma's P2028: no connection came free in time. */
function isPoolExhausted(error: unknown): boolean {
  return error instanceof Error && (error as { code?: unknown }).code === 'P2028' && databaseFault(error) === null;
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

/**
 * Claims the key, or gives the answer it stands for. A second holder of the key waits at the insert until the first
 * has committed. The work runs behind a savepoint, so that a refusal undoes its rows and keeps the record.
 */
async function once<Result extends CommandResult>(
  tx: RawStatements,
  key: string,
  operation: string,
  hash: string,
  work: () => Promise<CommandPayload<Result>>,
): Promise<CommandPayload<Result>> {
  const taken = await claimKeys(tx, [{ key, operation, hash }]);
  const kept = taken.get(key);
  if (kept) return replayed<Result>(key, hash, kept);

  await tx.$executeRaw(sql`savepoint work`);
  const payload = await work().catch(async (error: unknown) => {
    if (!(error instanceof Refusal) || error.userError.code === 'DOMAIN_UNAVAILABLE') throw error;
    await tx.$executeRaw(sql`rollback to savepoint work`);
    return failed<Result>(error);
  });
  await keepAnswers(tx, [{ key, payload }]);
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
