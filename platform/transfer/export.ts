/** Exports: the rows of a kind as one file, streamed from one snapshot in constant memory. */
import pg from 'pg';
import { databaseFault } from '../database/database-error.ts';
import { canonical, readColumns } from './columns.ts';
import { encoderOf } from './encoding.ts';
import { BadRequest, type ExportRequest, type TransferKind } from './kind.ts';
import { openSnapshot, type Schema, type TextRow } from './snapshot.ts';

/** The bytes of the file, by time and then by key. Leaving the stream ends the snapshot. */
export async function* exportRows(
  schema: Schema,
  kind: TransferKind,
  request: ExportRequest,
): AsyncGenerator<Uint8Array> {
  const snapshot = await openSnapshot(schema);
  try {
    const columns = await readColumns(snapshot.all, kind.table);
    const encoder = encoderOf(request.format, columns);
    const { text, values } = statementOf(kind, columns.map(canonical), request);
    const batches = snapshot.rows(text, values, encoder.batchRows);
    let batch = await firstOf(batches); // what is wrong with the request shows before anything is sent
    const begin = encoder.begin();
    if (begin) yield begin;
    for (; !batch.done; batch = await batches.next()) yield encoder.rows(batch.value);
    const end = encoder.end();
    if (end) yield end;
  } finally {
    await snapshot.close();
  }
}

/** @throws BadRequest when a filter's value is none of its column's type */
async function firstOf(batches: AsyncGenerator<TextRow[]>): Promise<IteratorResult<TextRow[]>> {
  try {
    return await batches.next();
  } catch (error) {
    if (databaseFault(error)?.code.startsWith(DATA_EXCEPTION)) throw new BadRequest(`${(error as Error).message}.`);
    throw error;
  }
}

const DATA_EXCEPTION = '22'; // SQLSTATE class

function statementOf(kind: TransferKind, columns: readonly string[], { since, until, filters }: ExportRequest) {
  const time = pg.escapeIdentifier(kind.time);
  const values: string[] = [];
  const parameter = (value: string) => `$${values.push(value)}`;
  const conditions = [
    ...(since === null ? [] : [`${time} >= ${parameter(since)}::timestamptz`]),
    ...(until === null ? [] : [`${time} < ${parameter(until)}::timestamptz`]),
    ...[...filters].map(([name, value]) => {
      return `${pg.escapeIdentifier(kind.filters?.[name] ?? '')} = ${parameter(value)}`;
    }),
  ];
  const order = [kind.time, ...kind.key.filter((column) => column !== kind.time)].map(pg.escapeIdentifier);
  return {
    text: `select ${columns.join(', ')} from ${pg.escapeIdentifier(kind.table)}
            where ${conditions.join(' and ') || 'true'} order by ${order.join(', ')}`,
    values,
  };
}
