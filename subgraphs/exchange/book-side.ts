/** The two sides of the book as conditions, written out so that the partial index of each serves. */
import { raw, type Sql } from '../../platform/database/sql.ts';

/** Resting sells. */
export const isAsk: Sql = raw(`side = 'SELL' and order_type = 'LIMIT' and status in ('OPEN', 'PARTIAL')`);

/** Resting buys. */
export const isBid: Sql = raw(`side = 'BUY' and order_type = 'LIMIT' and status in ('OPEN', 'PARTIAL')`);
