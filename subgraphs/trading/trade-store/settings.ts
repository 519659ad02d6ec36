/** The trade store's own settings, read once from the environment. */
import { join } from 'node:path';
import { z } from 'zod';
import { checkSettings } from '../../../platform/config.ts';

const schema = z.object({
  /** The SQLite file of this process; its folder is made. */
  TRADE_STORE_PATH: z.string().optional(),
  /** Redis where it answers, else SQLite; or SQLite alone. */
  TRADE_STORE_BACKEND: z.enum(['auto', 'sqlite']).default('auto'),
});

export const settings = checkSettings(schema, process.env);

/** Whether managed trades are copied to SQLite alone, though there is a Redis. */
export const forcesSqlite = settings.TRADE_STORE_BACKEND === 'sqlite';

/**
 * Where the SQLite file lies: where the settings say, else among the files of this machine, named after the domain and its
 * instance; in memory where there is no place for files.
 */
export function sqlitePath(dataDir: string | undefined, redisPrefix: string): string {
  if (settings.TRADE_STORE_PATH !== undefined) return settings.TRADE_STORE_PATH;
  if (dataDir === undefined) return ':memory:';
  return join(dataDir, 'trade-store', `${redisPrefix.replaceAll(':', '-')}trades.sqlite`);
}
