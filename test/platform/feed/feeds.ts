/** Change feeds over a database of their own, without a graph around them. */
import pg from 'pg';
import { inject } from 'vitest';
import { type Database, openDatabase } from '../../../platform/database/database.ts';
import { type Domain, schemaOf } from '../../../platform/domains.ts';
import { type Feed, startFeed } from '../../../platform/feed/feed.ts';
import { rowChanges } from '../../../platform/feed/row-changes.ts';
import type { FeedSettings } from '../../../platform/feed/runner.ts';
import type { Choice, Topic } from '../../../platform/feed/topic.ts';
import { createLogger } from '../../../platform/log.ts';
import { domainUrl } from '../../../prisma/roles.ts';
import { copyTemplate } from '../../support/databases.ts';
import { type Listening, listen } from './listening.ts';

export interface FollowOptions {
  choice?: Choice;
  after?: string;
  minIntervalMs?: number;
}

export interface TestFeed {
  feed: Feed;
  db: Database;
  follow<Row>(topic: Topic<Row>, options?: FollowOptions): Listening<Row>;
  close(): Promise<void>;
}

export interface FeedDatabase {
  /** URL of the domain's role. */
  url: string;
  schema: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test reads whatever shape its statement gives
  sql(text: string, params?: unknown[]): Promise<any[]>;
  /** A connection for a transaction that lasts. */
  connect(): Promise<pg.Client>;
  /** A feed over it, as one process has it. */
  open(settings?: FeedSettings & { url?: string }): TestFeed;
  /** Closes all that was opened, and drops the database. */
  close(): Promise<void>;
}

export const log = createLogger({ level: process.env.LOG_LEVEL ?? 'fatal', service: 'test' });

/** @param adminUrl of a migrated database @default a copy of the run's own */
export async function openFeedDatabase(domain: Domain = 'trading', adminUrl?: string): Promise<FeedDatabase> {
  const copy =
    adminUrl === undefined ? await copyTemplate(inject('adminUrl')) : { url: adminUrl, drop: async () => {} };
  const url = domainUrl(copy.url, domain, {});
  const schema = schemaOf(domain);
  const options = `-c search_path=${schema} -c TimeZone=UTC`;
  const pool = new pg.Pool({ connectionString: url, max: 3, options });
  pool.on('error', () => undefined); // PostgreSQL is killed under it
  const feeds: TestFeed[] = [];
  const clients: pg.Client[] = [];
  return {
    url,
    schema,
    sql: async (text, params = []) => (await pool.query(text, params)).rows,
    async connect() {
      const client = new pg.Client({ connectionString: url, options });
      client.on('error', () => undefined);
      clients.push(client);
      await client.connect();
      return client;
    },
    open({ url: throughUrl = url, ...settings } = {}) {
      const feed = openFeed(domain, throughUrl, settings);
      feeds.push(feed);
      return feed;
    },
    async close() {
      await Promise.all(feeds.map((feed) => feed.close()));
      await Promise.all(clients.map((client) => client.end()));
      await pool.end();
      await copy.drop();
    },
  };
}

/** @param url of the domain's role */
export function openFeed(domain: Domain, url: string, settings: FeedSettings): TestFeed {
  const schema = schemaOf(domain);
  const db = openDatabase({ url, schema, poolSize: 5, log });
  const feed = startFeed({ domain, databaseUrl: url, schema, db, log, ...settings });
  let closing: Promise<void> | undefined;
  const close = async () => {
    await feed.close();
    await db.close();
  };
  return {
    feed,
    db,
    follow: (topic, { choice = {}, ...options } = {}) => listen(rowChanges(feed, db, topic, { choice, ...options })),
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}
