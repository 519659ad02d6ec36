import { randomUUID } from 'node:crypto';
import type { Access, Roles } from './access.ts';
import type { Cache } from './cache/cache.ts';
import type { Degradation, Reading } from './cache/family.ts';
import { readingOf } from './cache/reading.ts';
import type { ActiveFaults } from './chaos/active-faults.ts';
import type { Database } from './database/database.ts';
import type { Sql } from './database/sql.ts';
import type { Domain } from './domains.ts';
import type { Feed } from './feed/feed.ts';
import { type ChangeEvent, type RowChangesOptions, rowChanges } from './feed/row-changes.ts';
import { type StateChangesOptions, stateChanges } from './feed/state-changes.ts';
import type { Topic } from './feed/topic.ts';
import type { GraphClient } from './graph-client.ts';
import type { Health } from './health.ts';
import { type ChildList, createLoaders, type Derived, type Entity } from './loaders.ts';
import type { Logger } from './log.ts';
import { type Connection, type ConnectionArgs, type ConnectionSource, connect, connectChildren } from './paging.ts';
import { traceOf } from './trace.ts';

/** What every resolver of a subgraph is given. One a request: its loaders remember what the request has read. */
export interface SubgraphContext<Client, Service = unknown> {
  domain: Domain;
  /** Reads of this domain's schema. */
  db: Database;
  /** This domain's Prisma client; commands go through `command()`. */
  prisma: Client;
  /** The whole graph, for facts that other domains own. Ask before a transaction is opened, never within. */
  graph: GraphClient;
  /** This domain's change feed. */
  feed: Feed;
  /** How this domain does. */
  health: Health;
  /** What this domain suffers on purpose. */
  faults: ActiveFaults;
  /** What has been read of this domain. Resolvers read it by `load`, `list`, `derive` and `connectChildren`. */
  cache: Cache;
  /** How old an answer of this request may be. */
  reading: Reading;
  /** Stores that were not to be had while the request was answered. */
  degraded: Map<string, Degradation>;
  /** What the subgraph runs beside its requests (see `SubgraphDefinition.start`). */
  service: Service;
  /** W3C trace id of the request: 32 lower-case hex digits. */
  traceId: string;
  /** W3C traceparent of the request: what it changes is known by it. */
  traceparent: string;
  requestId: string;
  log: Logger;
  /** The clock. */
  now(): Date;
  /** The roles of who asks; null when it does not say who it is. Fields marked with `@access` ask by themselves. */
  roles(): Promise<Roles | null>;
  /** The row of that key, or null; keys asked for in one tick cost one statement. */
  load<Row>(entity: Entity<Row>, key: string): Promise<Row | null>;
  /** A parent's few children, whole; parents asked for in one tick cost one statement. */
  list<Row>(list: ChildList<Row>, parent: string): Promise<Row[]>;
  /** What is computed from a parent's rows; `read` answers in its keys' order. */
  derive<Value>(
    wanted: Derived<Value>,
    key: string,
    read: (keys: readonly string[]) => Promise<Value[]>,
  ): Promise<Value>;
  /** A page of a whole list. */
  connect<Row>(source: ConnectionSource<Row>, args: ConnectionArgs, where?: readonly Sql[]): Promise<Connection<Row>>;
  /** A page of each parent's list; parents asked for in one tick with equal arguments cost one statement. */
  connectChildren<Row>(
    source: ConnectionSource<Row>,
    parentColumn: string,
    parent: string,
    args: ConnectionArgs,
    where?: readonly Sql[],
  ): Promise<Connection<Row>>;
  /** The batch of that name in this request, for reads that no declaration covers. `batch` answers in its keys' order. */
  batch<Key, Value>(name: string, key: Key, batch: (keys: readonly Key[]) => Promise<Value[]>): Promise<Value>;
  /** What a subscription tells of a topic's rows: a snapshot, or what followed `after`, and then every change. */
  changes<Row>(topic: Topic<Row>, options: RowChangesOptions): Changes<Row>;
  /** The same for what is made of many rows, told whole whenever something moves it. */
  states<State>(options: StateChangesOptions<State>): Changes<State>;
}

export type Changes<Row> = AsyncIterableIterator<ChangeEvent<Row>, undefined>;

export interface ContextParts<Client, Service> {
  domain: Domain;
  db: Database;
  prisma: Client;
  graph: GraphClient;
  feed: Feed;
  health: Health;
  faults: ActiveFaults;
  cache: Cache;
  service: Service;
  log: Logger;
  now: () => Date;
  access: Access;
  /** Whether everything is read from PostgreSQL, whatever the headers say. @default false */
  isFresh?: boolean;
  headers: Record<string, string | undefined>;
}

export function createContext<Client, Service>(parts: ContextParts<Client, Service>): SubgraphContext<Client, Service> {
  const { db, headers, access, isFresh = false, ...rest } = parts;
  const degraded = new Map<string, Degradation>();
  const reading = readingOf({ domain: parts.domain, headers, isFresh, degraded });
  const loaders = createLoaders(db, parts.cache, reading);
  const requestId = headers['x-request-id'] ?? randomUUID();
  const { traceId, traceparent } = traceOf(headers.traceparent);
  return {
    ...rest,
    db,
    reading,
    degraded,
    requestId,
    traceId,
    traceparent,
    roles: () => access.rolesOf(headers.authorization),
    load: loaders.load,
    list: loaders.list,
    derive: loaders.derive,
    connect: (source, args, where) => connect(db, source, args, where),
    connectChildren: (source, column, parent, args, where) =>
      connectChildren(db, loaders, source, column, parent, args, where),
    batch: <Key, Value>(name: string, key: Key, batch: (keys: readonly Key[]) => Promise<Value[]>) =>
      loaders.named<Key, Value>(`batch:${name}`, () => batch).load(key),
    changes: (topic, options) => rowChanges(rest.feed, db, topic, options),
    states: (options) => stateChanges(rest.feed, options),
  };
}
