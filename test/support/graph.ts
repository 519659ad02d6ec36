/** The whole graph in this process, on a real PostgreSQL database of its own. */
import { setTimeout as sleep } from 'node:timers/promises';
import { parse } from 'graphql';
import pg from 'pg';
import { inject } from 'vitest';
import { createGateway, type Gateway, type GatewaySubgraph } from '../../gateway/gateway.ts';
import type { Access } from '../../platform/access.ts';
import { type Domain, schemaOf } from '../../platform/domains.ts';
import type { Feed } from '../../platform/feed/feed.ts';
import { covers, parseSnapshot } from '../../platform/feed/snapshot.ts';
import { createGraphClient, type GraphClient } from '../../platform/graph-client.ts';
import { instanceOf } from '../../platform/instances.ts';
import { createLogger } from '../../platform/log.ts';
import { redisUrlOf } from '../../platform/redis-users.ts';
import { readTypeDefs, type Subgraph, startSubgraph } from '../../platform/subgraph.ts';
import { type SubgraphServer, serveSubgraph } from '../../platform/subgraph-server.ts';
import { domainUrl } from '../../prisma/roles.ts';
import { subgraphs as definitions } from '../../subgraphs/all.ts';
import { copyTemplate } from './databases.ts';

export interface Answer {
  // biome-ignore lint/suspicious/noExplicitAny: a test reads whatever shape its query asked for
  data: any;
  errors?: { message: string; path?: (string | number)[]; extensions: Record<string, unknown> }[];
  extensions?: Record<string, unknown>;
}

export interface TestGraph {
  /** One operation through the gateway, as a client sends it. */
  run(query: string, variables?: Record<string, unknown>, headers?: Record<string, string>): Promise<Answer>;
  /** One operation on a subgraph alone. */
  subgraph(domain: Domain, query: string, variables?: Record<string, unknown>): Promise<Answer>;
  /**
   * Rows of a statement sent as the domain's own role, as pg gives them. After one that writes it waits until the feed
   * has brought what is committed, so that the next read shows it whatever is cached.
   */
  // biome-ignore lint/suspicious/noExplicitAny: a test reads whatever shape its statement gives
  sql(domain: Domain, text: string, params?: unknown[]): Promise<any[]>;
  client: GraphClient;
  gateway: Gateway;
  subgraphs: Map<Domain, Subgraph>;
  /** The subgraphs' servers, where the graph is spread out. */
  servers: Map<Domain, SubgraphServer>;
  /** Calls the gateway made to subgraphs in this process, in order. */
  calls: Domain[];
  /** Statements sent to PostgreSQL by all subgraphs since the start. */
  statements(): number;
  close(): Promise<void>;
}

/** What most tests are about. */
const CORE: readonly Domain[] = ['market-data', 'exchange', 'trading', 'registry'];

export interface TestGraphOptions {
  /** The subgraphs that it has; each costs a part of the run's time. @default CORE */
  domains?: readonly Domain[];
  now?: () => Date;
  poolSize?: number;
  /** 0 for a graph that reads everything from PostgreSQL. */
  cacheBytes?: number;
  /** Server that has the template. @default the run's own */
  adminUrl?: string;
  /** Administrator's URL of a migrated database, which stays. @default a copy of the template, dropped at the end */
  databaseUrl?: string;
  /** Redis, with the password that the passwords of the domains' users follow from. @default none */
  redisUrl?: string;
  /** Whether domains suffer faults on purpose. @default false */
  isChaosOn?: boolean;
  /** @default everybody may do everything */
  access?: Access;
  /** Settings that name instances. @default process.env */
  environment?: NodeJS.ProcessEnv;
  /** URLs of subgraphs that run elsewhere, on the same database. @default none */
  elsewhere?: Partial<Record<Domain, string>>;
  /** Whether each subgraph is reached over HTTP instead of in process. @default false */
  spreadOut?: boolean;
}

export async function startGraph(settings: TestGraphOptions = {}): Promise<TestGraph> {
  const {
    domains = CORE,
    spreadOut = false,
    elsewhere = {},
    adminUrl = inject('adminUrl'),
    databaseUrl,
    redisUrl,
    ...others
  } = settings;
  const { environment = process.env, ...options } = others;
  const { url, drop } = databaseUrl ? { url: databaseUrl, drop: async () => {} } : await copyTemplate(adminUrl);
  const log = createLogger({ level: process.env.LOG_LEVEL ?? 'fatal', service: 'test' });
  const client = createGraphClient(
    (document, variables, headers) => gateway.execute(document, variables, { headers }),
    (document, variables, headers) => gateway.subscribe(document, variables, { headers }),
  );
  const here = definitions.filter(({ name }) => domains.includes(name) && !elsewhere[name]);
  const subgraphs = new Map(
    here.map((definition) => {
      const { name } = definition;
      const subgraph = startSubgraph(definition, {
        databaseUrl: domainUrl(url, name, environment),
        instance: instanceOf(name, environment),
        redisUrl: redisUrlOf(redisUrl, name, environment),
        graph: client,
        log,
        ...options,
      });
      return [name, subgraph];
    }),
  );
  const servers = new Map<Domain, SubgraphServer>();
  if (spreadOut) {
    for (const [name, subgraph] of subgraphs)
      servers.set(name, await serveSubgraph(subgraph, { port: 0, host: '127.0.0.1' }));
  }
  const calls: Domain[] = [];
  const parts = [...subgraphs.values()].map((subgraph): GatewaySubgraph => {
    const { name, sdl } = subgraph;
    const server = servers.get(name);
    if (server) return { name, sdl, url: server.url, exportKinds: subgraph.exports.kinds };
    const execute: Subgraph['execute'] = (request) => {
      calls.push(name);
      return subgraph.execute(request);
    };
    return { ...subgraph, execute };
  });
  for (const definition of definitions) {
    const url = elsewhere[definition.name];
    if (url) parts.push({ name: definition.name, sdl: readTypeDefs(definition), url });
  }
  const gateway = await createGateway({ subgraphs: parts, log });
  const database = sqlOf(url, environment);

  return {
    client,
    gateway,
    subgraphs,
    servers,
    calls,
    async sql(domain, text, params) {
      const rows = await database.query(domain, text, params);
      const feed = subgraphs.get(domain)?.feed;
      if (feed && !READS.test(text) && feed.hub.isAlive(Date.now())) await caughtUp(feed, database, domain);
      return rows;
    },
    run: async (query, variables, headers) =>
      asJson(await gateway.execute(query, variables, headers === undefined ? {} : { headers })),
    subgraph: async (domain, query, variables) => {
      const running = subgraphs.get(domain);
      if (!running) throw new Error(`There is no subgraph ${domain}`);
      return asJson(await running.execute({ document: parse(query), variables, headers: {} }));
    },
    statements: () => [...subgraphs.values()].reduce((sum, part) => sum + part.statements(), 0),
    async close() {
      await gateway.close();
      await Promise.all([...servers.values()].map((server) => server.close()));
      await Promise.all([...subgraphs.values()].map((subgraph) => subgraph.close()));
      await database.close();
      await drop();
    },
  };
}

const READS = /^\s*(select|show|explain)\b/i;

const CATCH_UP_MS = 5_000; // 5 seconds

async function caughtUp(feed: Feed, database: ReturnType<typeof sqlOf>, domain: Domain): Promise<void> {
  const [row] = await database.query(domain, 'select pg_current_snapshot()::text as snapshot');
  const written = parseSnapshot(row.snapshot);
  const until = Date.now() + CATCH_UP_MS;
  while (!(feed.hub.snapshot && covers(feed.hub.snapshot, written)) && Date.now() < until) {
    feed.ring();
    await sleep(2);
  }
}

function asJson(result: unknown): Answer {
  return JSON.parse(JSON.stringify(result)) as Answer;
}

/** Plain SQL as each domain's own role. */
function sqlOf(adminUrl: string, environment: NodeJS.ProcessEnv) {
  const pools = new Map<Domain, pg.Pool>();
  const poolOf = (domain: Domain) => {
    const known = pools.get(domain);
    if (known) return known;
    const options = `-c search_path=${schemaOf(domain, instanceOf(domain, environment))}`;
    const pool = new pg.Pool({ connectionString: domainUrl(adminUrl, domain, environment), max: 2, options });
    pool.on('error', () => undefined); // dropping the database may meet a connection that is closing
    pools.set(domain, pool);
    return pool;
  };
  return {
    query: async (domain: Domain, text: string, params: unknown[] = []) =>
      (await poolOf(domain).query(text, params)).rows,
    close: async () => {
      await Promise.all([...pools.values()].map((pool) => pool.end()));
    },
  };
}
