/**
 * What a command does its work with: SQL on the transaction's own connection, and Prisma's models in the same transaction
 * for those who use them. Prisma costs many times what a statement does, so it is there only from the first use on.
 */
import { commandTypes, toRows } from './database/command-rows.ts';
import { within } from './database/domain-adapter.ts';
import type { Statement } from './database/message.ts';
import type { Sql } from './database/sql.ts';
import { type Transaction as Connection, statementOf } from './database/transaction.ts';

/** What a command may do inside its transaction. */
export type Transaction<Client> = Omit<
  Client,
  '$connect' | '$disconnect' | '$on' | '$transaction' | '$use' | '$extends' | keyof RawStatements
> &
  RawStatements;

/** Statements that are asked for in one turn (`Promise.all`) go in one message, in that order. */
export interface RawStatements {
  /** The rows of a statement, as Prisma gives them (command-rows.ts). */
  $queryRaw<Rows>(statement: Sql): Promise<Rows>;
  /** How many rows the statement has changed. */
  $executeRaw(statement: Sql): Promise<number>;
  /** A statement whose answer nobody needs: it goes with the commit, and what it throws the command throws.
   * Not for work that a savepoint of its own may undo. */
  $atCommit(statement: Sql): void;
}

interface Transactional {
  $transaction<Result>(
    work: (tx: Models) => Promise<Result>,
    options: { maxWait: number; timeout: number },
  ): Promise<Result>;
}

type Models = Record<string, Record<string, (...args: unknown[]) => Promise<unknown>>>;

/** The connection's own patience (transaction.ts) ends before Prisma's does. */
const PRISMA_PATIENCE_MS = 60_000; // a minute

/** Prisma's side of a transaction, begun when it is first used. */
class Guest {
  private readonly connection: Connection;
  private readonly prisma: Transactional;
  private models: Promise<Models> | undefined;
  private leave: () => void = () => undefined;
  private left: Promise<unknown> = Promise.resolve();

  constructor(connection: Connection, prisma: Transactional) {
    this.connection = connection;
    this.prisma = prisma;
  }

  /** A model's methods. */
  model(name: string): object {
    return new Proxy(
      {},
      {
        get:
          (_, method: string) =>
          async (...args: unknown[]) => {
            this.models ??= this.join();
            return (await this.models)[name]?.[method]?.(...args);
          },
      },
    );
  }

  private join(): Promise<Models> {
    return within(
      { query: (statement) => this.connection.ask(statement as Statement) },
      () =>
        new Promise<Models>((resolve, reject) => {
          const stay = new Promise<void>((leave) => {
            this.leave = leave;
          });
          const work = (models: Models) => {
            resolve(models);
            return stay;
          };
          const options = { maxWait: PRISMA_PATIENCE_MS, timeout: PRISMA_PATIENCE_MS };
          this.left = this.prisma.$transaction(work, options).catch(reject);
        }),
    );
  }

  /** Prisma is done with the transaction, however it ends. */
  async end(): Promise<void> {
    this.leave();
    await this.left;
  }
}

/** The transaction as a command's work sees it. */
export function openTransaction<Client>(
  connection: Connection,
  prisma: unknown,
): { tx: Transaction<Client>; end(): Promise<void> } {
  const guest = new Guest(connection, prisma as Transactional);
  const statements: RawStatements = {
    async $queryRaw<Rows>(statement: Sql) {
      return toRows(await connection.ask({ ...statementOf(statement), types: commandTypes })) as Rows;
    },
    $executeRaw: async (statement) => (await connection.ask(statementOf(statement))).rowCount ?? 0,
    $atCommit: (statement) => connection.askLast(statementOf(statement)),
  };
  const tx = new Proxy(statements, {
    get: (own, name: string) => (name in own ? own[name as keyof RawStatements] : guest.model(name)),
  });
  return { tx: tx as Transaction<Client>, end: () => guest.end() };
}
