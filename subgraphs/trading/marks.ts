/** Marking: the prices at which open positions are valued. */
import { type CommandPayload, command } from '../../platform/command.ts';
import { type Sql, sql } from '../../platform/database/sql.ts';
import { refuse } from '../../platform/errors.ts';
import { normaliseSymbol } from '../../platform/symbols.ts';
import type { Context } from './context.ts';
import type { MarkPositionsInput } from './generated/resolvers.ts';
import { positiveAmount } from './rules/amounts.ts';
import { pastInstant } from './rules/instants.ts';

export type MarkPayload = CommandPayload<{ markedPositionCount: number }>;

/** Marks one command takes; a price source sends its instruments in a few of them. */
const MARK_LIMIT = 1_000;

/** Values every open position in the instruments at the prices given, unless it has a later mark. */
export function markPositions(context: Context, input: MarkPositionsInput): Promise<MarkPayload> {
  return command(context, 'markPositions', input, async (tx) => {
    const marks = readMarks(input, context.now());
    const markedPositionCount = await tx.$executeRaw(storeMarks(marks, context.traceId));
    return { markedPositionCount };
  });
}

/**
 * Marks open positions. The rows are locked in the order of their ids, so that two price sources never wait for each
 * other.
 */
export function storeMarks(
  marks: readonly { symbol: string; price: string; at: string }[],
  traceId: string | null,
): Sql {
  return sql`
    with latest as (
      select distinct on (symbol) symbol, price, at
        from unnest(${marks.map(({ symbol }) => symbol)}::text[], ${marks.map(({ price }) => price)}::numeric[],
                    ${marks.map(({ at }) => at)}::timestamptz[]) with ordinality as given(symbol, price, at, place)
       order by symbol, at desc, place desc
    ), due as materialized (
      select position_id, latest.price, latest.at
        from latest join positions on instrument_id = latest.symbol and closed_at is null
       where marked_at <= latest.at and (current_price, marked_at) is distinct from (latest.price, latest.at)
       order by position_id
         for no key update of positions
    )
    update positions set current_price = due.price, marked_at = due.at, trace_id = ${traceId}
      from due where positions.position_id = due.position_id`;
}

function readMarks({ marks }: MarkPositionsInput, now: Date): { symbol: string; price: string; at: string }[] {
  if (marks.length === 0 || marks.length > MARK_LIMIT) {
    throw refuse.validation(`marks must hold 1 to ${MARK_LIMIT} marks, but got ${marks.length}.`, ['input', 'marks']);
  }
  return marks.map(({ symbol, price, at }, index) => {
    const path = ['input', 'marks', String(index)];
    return {
      symbol: normaliseSymbol(symbol, [...path, 'symbol']),
      price: positiveAmount(price, [...path, 'price']).toFixed(),
      at: pastInstant(at, now, [...path, 'at']),
    };
  });
}
