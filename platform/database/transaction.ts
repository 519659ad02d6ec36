/**
 * A transaction on one connection, which it takes with its first statement. Statements that are asked for in one turn go
 * in one message, BEGIN with the first of them and COMMIT with the last: a transaction costs its messages, not its
 * statements.
 */
import type pg from 'pg';
import type { Database } from './database.ts';
import { type Answer, type Statement, send } from './message.ts';
import { rowTypes, toObjects } from './rows.ts';
import { named, nameOf, type Sql, sql } from './sql.ts';

/** Sends statements, one after the other. Columns come under camelCase names. */
export interface Statements {
  query<Row>(statement: Sql): Promise<Row[]>;
}

/** The statement after which what its transaction writes is known to belong to the request with this traceparent. */
export function belongsTo(traceparent: string): Sql {
  return named('trace', sql`select set_config('graph.traceparent', ${traceparent}, true)`);
}

/** The transaction took longer than it may. Its code makes the database an unreachable one (database-error.ts). */
class Overdue extends Error {
  readonly code = 'ETIMEDOUT';

  constructor(patienceMs: number) {
    super(`The transaction took longer than ${patienceMs} ms`);
    this.name = 'Overdue';
  }
}

const BEGIN: Statement = { name: 'begin', text: 'begin', values: [] };
const COMMIT: Statement = { name: 'commit', text: 'commit', values: [] };
const ROLLBACK: Statement = { name: 'rollback', text: 'rollback', values: [] };

interface Asked extends Statement {
  resolve(answer: Answer): void;
  reject(error: unknown): void;
}

export interface TransactionOptions {
  /** Statements that go with BEGIN. @default none */
  opening?: readonly Statement[];
  /** When it has taken so long it is rolled back, and what it has locked is free. @default as long as its work takes */
  patienceMs?: number;
}

export class Transaction {
  /** Whether COMMIT was sent: from then on it may be done, whatever is heard of it. */
  isCommitting = false;
  private readonly pool: pg.Pool;
  private readonly patienceMs: number | undefined;
  /** What goes before the first statement. */
  private opening: readonly Statement[];
  private client: Promise<pg.PoolClient> | null = null;
  private asked: Asked[] = [];
  private isSending = false;
  /** What goes with COMMIT. */
  private readonly closing: Statement[] = [];
  /** Why nothing can be asked any more. */
  private over: Error | null = null;
  private timer: NodeJS.Timeout | undefined;

  constructor(pool: pg.Pool, { opening = [], patienceMs }: TransactionOptions = {}) {
    this.pool = pool;
    this.opening = [BEGIN, ...opening];
    this.patienceMs = patienceMs;
  }

  /** Sends the statement, with whatever else is asked for in this turn or while another message is under way. */
  ask(statement: Statement): Promise<Answer> {
    if (this.over) return Promise.reject(this.over);
    return new Promise((resolve, reject) => {
      this.asked.push({ ...statement, resolve, reject });
      if (this.isSending) return;
      this.isSending = true;
      queueMicrotask(() => void this.sendAsked());
    });
  }

  /** Sends the statement with COMMIT. What it throws the commit throws, and nothing is done. */
  askLast(statement: Statement): void {
    this.closing.push(statement);
  }

  /** What was to go with COMMIT does not. */
  forgetLast(): void {
    this.closing.length = 0;
  }

  /** Commits; gives the answers to `askLast`'s statements. */
  async commit(): Promise<Answer[]> {
    if (!this.client && !this.isSending && this.closing.length === 0) return []; // nothing was asked for
    const answers = await Promise.all([...this.closing, COMMIT].map((statement) => this.ask(statement)));
    if (answers.pop()?.command !== 'COMMIT') throw new Error('A statement had failed before the commit');
    await this.end(new Error('The transaction is committed'));
    return answers;
  }

  /** Rolls back what is not committed. */
  rollback(): Promise<void> {
    return this.end(new Error('The transaction is rolled back'), ROLLBACK);
  }

  private async sendAsked(): Promise<void> {
    while (this.asked.length > 0) await this.sendMessage(this.asked.splice(0));
    this.isSending = false;
  }

  private async sendMessage(asked: readonly Asked[]): Promise<void> {
    try {
      this.client ??= this.connect();
      const client = await this.client;
      if (this.over) throw this.over;
      const opening = this.opening;
      this.opening = [];
      this.isCommitting ||= asked.at(-1)?.text === COMMIT.text;
      const answers = await send(client, [...opening, ...asked]);
      for (const [i, { resolve }] of asked.entries()) resolve(answers[opening.length + i] as Answer);
    } catch (error) {
      for (const { reject } of asked) reject(error);
    }
  }

  private connect(): Promise<pg.PoolClient> {
    const { patienceMs } = this;
    if (patienceMs !== undefined) {
      this.timer = setTimeout(() => void this.end(new Overdue(patienceMs), ROLLBACK), patienceMs).unref();
    }
    return this.pool.connect();
  }

  private async end(reason: Error, last?: Statement): Promise<void> {
    if (this.over) return;
    this.over = reason;
    clearTimeout(this.timer);
    const client = await this.client?.catch(() => null);
    if (!client) return;
    const isLost = await (last ? send(client, [last]) : Promise.resolve()).then(
      () => false,
      () => true,
    );
    client.release(isLost);
  }
}

/** Runs `work` in one READ COMMITTED transaction; when it throws, nothing of it is done. */
export async function inTransaction<Result>(
  db: Database,
  work: (statements: Statements) => Promise<Result>,
): Promise<Result> {
  const transaction = new Transaction(db.pool);
  const query = async <Row>(statement: Sql): Promise<Row[]> =>
    toObjects<Row>(await transaction.ask({ ...statementOf(statement), types: rowTypes }));
  try {
    const result = await work({ query });
    await transaction.commit();
    return result;
  } catch (error) {
    await transaction.rollback();
    throw error;
  }
}

/** The statement as it is sent. */
export function statementOf(statement: Sql): Statement {
  return { text: statement.text, values: statement.values, name: nameOf(statement) };
}
