/**
 * Reads of a process that has not reached the feed yet, so that it has cached nothing. While PostgreSQL is away, it tells
 * what other processes have left in Redis.
 */
import { isUnreachable } from '../database/database-error.ts';
import { type Family, mayBeOld, type Reading } from './family.ts';
import type { RedisTier } from './redis-tier.ts';

/**
 * The values, in the order of the entries.
 * @throws what `read` throws, unless the database is away and Redis has all of them
 */
export async function readBeforeFeed(
  redis: RedisTier | undefined,
  family: Family<unknown>,
  entries: readonly { id: string; place: number }[],
  read: () => Promise<readonly unknown[]>,
  reading: Reading,
): Promise<unknown[]> {
  try {
    return [...(await read())];
  } catch (error) {
    if (!redis || !isUnreachable(error) || !mayBeOld(reading)) throw error;
    const asOf = await redis.asOf(); // before the values, which are as new at least
    const values = (await redis.read(family.table, entries))?.values ?? [null];
    if (asOf === null || values.includes(null)) throw error;
    reading.degrade({ store: 'POSTGRESQL', asOf });
    return values.map((json) => JSON.parse(json as string) as unknown);
  }
}
