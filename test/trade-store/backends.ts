/** What the contract of the trade store runs over: Redis, SQLite, and PostgreSQL, whose table is their journal. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { inject } from 'vitest';
import { openDatabase } from '../../platform/database/database.ts';
import { createLogger } from '../../platform/log.ts';
import { connectRedis, firstAttempt } from '../../platform/redis.ts';
import { domainUrl } from '../../prisma/roles.ts';
import { asking, journal } from '../../subgraphs/trading/trade-store/backends/journal.ts';
import { redisTrades } from '../../subgraphs/trading/trade-store/backends/redis.ts';
import { sqliteTrades } from '../../subgraphs/trading/trade-store/backends/sqlite.ts';
import type { TradeBackend } from '../../subgraphs/trading/trade-store/trade-store.ts';
import { copyTemplate } from '../support/databases.ts';
import { startRedis } from '../support/redis.ts';

export const silent = createLogger({ level: 'silent', service: 'test' });

export interface Stage {
  /** A backend on the same data as every other one of the stage, as another process would have it. */
  open(): Promise<TradeBackend>;
  /** Forgets all trades. */
  clear(): Promise<void>;
  /** One command of Redis's operator, where it is Redis. */
  command?(...words: string[]): Promise<string>;
  close(): Promise<void>;
}

/** Redis as the domain's own user has it. */
async function redisStage(): Promise<Stage> {
  const server = await startRedis();
  const opened: { disconnect(): void }[] = [];
  return {
    async open() {
      const redis = connectRedis({ url: server.urlOf('trading'), log: silent });
      opened.push(redis);
      await firstAttempt(redis);
      return redisTrades({ redis, prefix: 'trading:' });
    },
    clear: async () => void (await server.command('FLUSHALL')),
    command: server.command,
    async close() {
      for (const redis of opened) redis.disconnect();
      await server.stop();
    },
  };
}

async function sqliteStage(): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), 'trading-data-graph-trades-'));
  const opened: ReturnType<typeof sqliteTrades>[] = [];
  return {
    async open() {
      const store = sqliteTrades(join(folder, 'deep', 'trades.sqlite'));
      opened.push(store);
      return store;
    },
    async clear() {
      const store = sqliteTrades(join(folder, 'deep', 'trades.sqlite'));
      await store.initialize();
      await store.reset();
      await store.close();
    },
    async close() {
      for (const store of opened) await store.close();
      await rm(folder, { recursive: true });
    },
  };
}

async function journalStage(): Promise<Stage> {
  const { url, drop } = await copyTemplate(inject('adminUrl'));
  const databaseUrl = domainUrl(url, 'trading', {});
  const db = openDatabase({ url: databaseUrl, schema: 'trading', log: silent });
  const admin = new pg.Client({ connectionString: url });
  await admin.connect();
  return {
    open: async () => journal(asking(db), null),
    async clear() {
      await admin.query(`set session_replication_role = replica; delete from trading.managed_trades`);
    },
    async close() {
      await admin.end();
      await db.close();
      await drop();
    },
  };
}

export const STAGES: [name: string, start: () => Promise<Stage>][] = [
  ['Redis', redisStage],
  ['SQLite', sqliteStage],
  ['PostgreSQL', journalStage],
];
