/** Rows that other rows point to. */
import type { Entity } from '../../platform/loaders.ts';
import type { Context } from './context.ts';
import { type InstrumentRow, instruments } from './instruments.ts';

/** The row that a foreign key promises. Throws when the promise is broken. */
export async function required<Row>(context: Context, entity: Entity<Row>, key: string): Promise<Row> {
  const row = await context.load(entity, key);
  if (row === null) throw new Error(`There is no ${entity.name} "${key}", though a row points to it.`);
  return row;
}

/** The instrument of a row that carries its symbol. */
export function instrumentOf(row: { symbol: string }, _: object, context: Context): Promise<InstrumentRow> {
  return required(context, instruments, row.symbol);
}
