/** A transaction of a service's own, beside the commands that come as requests. */
import type { Database } from './database.ts';
import { rowTypes, toObjects } from './rows.ts';
import { type Sql, sql } from './sql.ts';

/** Sends statements, one after the other. Columns come under camelCase names. */
export interface Statements {
  query<Row>(statement: Sql): Promise<Row[]>;
}

/** The statement after which what its transaction writes is known to belong to the request with this traceparent. */
export function belongsTo(traceparent: string): Sql {
  return sql`select set_config('graph.traceparent', ${traceparent}, true)`;
}

/** Runs `work` in one READ COMMITTED transaction; when it throws, nothing of it is done. */
export async function inTransaction<Result>(
  db: Database,
  work: (statements: Statements) => Promise<Result>,
): Promise<Result> {
  const client = await db.pool.connect();
  const query = async <Row>(statement: Sql): Promise<Row[]> => {
    const { text, values } = statement;
    return toObjects<Row>(await client.query({ text, values: values as unknown[], rowMode: 'array', types: rowTypes }));
  };
  try {
    await client.query('begin');
    const result = await work({ query });
    await client.query('commit');
    client.release();
    return result;
  } catch (error) {
    const isLost = await client.query('rollback').then(
      () => false,
      () => true,
    );
    client.release(isLost);
    throw error;
  }
}
