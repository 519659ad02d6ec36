/** What bulk commands share: reading rows, and refusing the bad ones without losing the good. */
import { sql } from '../../platform/database/sql.ts';
import { Refusal, refuse, type UserError } from '../../platform/errors.ts';
import { normaliseSymbol } from '../../platform/symbols.ts';
import { silenceOf } from './chaos/quotes.ts';
import type { Context } from './context.ts';
import { type Fault, isFault } from './rules/limits.ts';

/** A row that was refused, by its place in the input. */
export interface RowRefusal {
  index: number;
  error: UserError;
}

/** A row that was read, by its place in the input. */
export interface ReadRow<Row> {
  index: number;
  row: Row;
}

export interface Batch<Row> {
  rows: ReadRow<Row>[];
  refused: RowRefusal[];
}

/**
 * Reads the rows of `input[list]`: those of an unknown or inactive instrument, and those in which `read` finds a fault,
 * are refused. `read` is given the canonical symbol.
 * @throws Refusal (validation) when there are more than `limit` rows
 */
export async function readBatch<Input extends { symbol: string }, Row extends object>(
  context: Context,
  list: string,
  inputs: readonly Input[],
  limit: number,
  read: (input: Input, symbol: string) => Row | Fault,
): Promise<Batch<Row>> {
  checkLength(list, inputs, limit);
  return readRows(list, inputs, await readTradable(context, inputs), read);
}

/** @throws Refusal (validation) when there are more than `limit` rows */
export function checkLength(list: string, inputs: readonly unknown[], limit: number): void {
  if (inputs.length <= limit) return;
  throw refuse.validation(`${list} takes at most ${limit} rows, but got ${inputs.length}.`, ['input', list]);
}

/** The same as `readBatch` when it is known already which instruments take prices. */
export function readRows<Input extends { symbol: string }, Row extends object>(
  list: string,
  inputs: readonly Input[],
  tradable: Tradable,
  read: (input: Input, symbol: string) => Row | Fault,
): Batch<Row> {
  const batch: Batch<Row> = { rows: [], refused: [] };
  for (const [index, input] of inputs.entries()) {
    const symbol = tradable(input.symbol);
    if (typeof symbol !== 'string') {
      batch.refused.push(refusedRow(list, index, 'symbol', symbol));
      continue;
    }
    const row = read(input, symbol);
    if (!isFault(row)) batch.rows.push({ index, row });
    else batch.refused.push(refusedRow(list, index, row.field, refuse.validation(row.message).userError));
  }
  return batch;
}

/** The refusal of a row, with the path of the field at fault. */
export function refusedRow(list: string, index: number, field: string, error: UserError): RowRefusal {
  return { index, error: { ...error, path: ['input', list, String(index), field] } };
}

/** Refusals in the order of the input. */
export function byIndex(refused: readonly RowRefusal[]): RowRefusal[] {
  return refused.toSorted((a, b) => a.index - b.index);
}

/** Tells a spelling's canonical symbol, or why it takes no prices. */
export type Tradable = (spelling: string) => string | UserError;

/** Reads which of the instruments take prices. */
export function readTradable(context: Context, inputs: readonly { symbol: string }[]): Promise<Tradable> {
  return tradableBy(context, inputs, (symbols) => readActivity(context, symbols));
}

/** The same when `activity` tells which of the symbols exist, and whether they are active. */
export async function tradableBy(
  { faults }: Context,
  inputs: readonly { symbol: string }[],
  activity: (symbols: readonly string[]) => Promise<ReadonlyMap<string, boolean>>,
): Promise<Tradable> {
  const symbols = new Map<string, string | UserError>();
  for (const { symbol } of inputs) if (!symbols.has(symbol)) symbols.set(symbol, canonical(symbol));
  const known = await activity([...symbols.values()].filter((symbol) => typeof symbol === 'string'));
  const silent = silenceOf(faults);
  return (spelling: string): string | UserError => {
    const symbol = symbols.get(spelling) ?? canonical(spelling);
    if (typeof symbol !== 'string') return symbol;
    if (known.get(symbol)) return silent(symbol) ?? symbol;
    return known.has(symbol)
      ? refuse.validation(`${symbol} is not active, so nothing is recorded for it.`).userError
      : refuse.notFound('Instrument', symbol).userError;
  };
}

/** Which of the instruments exist, and whether they are active. */
export async function readActivity({ db }: Context, symbols: readonly string[]): Promise<Map<string, boolean>> {
  const known = await db.query<{ symbol: string; isActive: boolean }>(
    sql`select symbol, is_active from symbols where symbol = any(${[...symbols]}::text[])`,
  );
  return new Map(known.map(({ symbol, isActive }) => [symbol, isActive]));
}

function canonical(spelling: string): string | UserError {
  try {
    return normaliseSymbol(spelling);
  } catch (error) {
    if (error instanceof Refusal) return error.userError;
    throw error;
  }
}
