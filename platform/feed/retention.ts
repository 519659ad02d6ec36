import type { Logger } from '../log.ts';
import type { Queryable } from './statement.ts';

/** How much of the log is kept; whichever bound is reached first. */
export interface Retention {
  hours: number;
  bytes: number;
}

export const DEFAULT_RETENTION: Retention = {
  hours: 24,
  bytes: 1024 ** 3, // 1 GiB
};

/** Whoever reads an old segment now is not held up longer than this; the log is seen to again soon. */
const LOCK_TIMEOUT_MS = 500;

/** Opens the next segment of the log when it is time, which throws away the oldest one whole. */
export async function keepWithin(db: Queryable, retention: Retention = DEFAULT_RETENTION, log: Logger): Promise<void> {
  try {
    const { rows } = await db.query<{ turned: boolean }>(
      `with patience as materialized (select set_config('lock_timeout', '${LOCK_TIMEOUT_MS}', true))
       select turn_segment($1 * interval '1 hour', $2::bigint) as turned from patience`,
      [retention.hours, String(Math.round(retention.bytes))],
    );
    if (rows[0]?.turned) log.info('the change log has opened its next segment');
  } catch (error) {
    if ((error as { code?: string }).code !== '55P03') throw error; // lock_not_available
  }
}
