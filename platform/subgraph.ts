/** A subgraph: its contract, its resolvers, and one domain's database. It answers in process or over HTTP alike. */
import { readFileSync } from 'node:fs';
import { buildSubgraphSchema } from '@apollo/subgraph';
import type { PrismaPg } from '@prisma/adapter-pg';
import {
  createSourceEventStream,
  type DocumentNode,
  type ExecutionResult,
  execute,
  GraphQLError,
  type GraphQLSchema,
  getOperationAST,
  parse,
} from 'graphql';
import { type Access, guardFields } from './access.ts';
import type { Cache } from './cache/cache.ts';
import type { ActiveFaults } from './chaos/active-faults.ts';
import { NO_CHAOS, startChaos } from './chaos/chaos.ts';
import { isStruckDomain } from './chaos/kinds.ts';
import type { SubgraphContext } from './context.ts';
import { COMMON_CONTRACT } from './contract.ts';
import type { Database } from './database/database.ts';
import { sql } from './database/sql.ts';
import { type Domain, schemaOf } from './domains.ts';
import { publicError } from './errors.ts';
import type { Feed } from './feed/feed.ts';
import type { Retention } from './feed/retention.ts';
import type { GraphClient } from './graph-client.ts';
import type { Health } from './health.ts';
import type { Logger } from './log.ts';
import { openDomain, settingsOf } from './running-domain.ts';
import { scalarResolvers } from './scalars.ts';
import { endOn, isStream, mapStream } from './streams.ts';
import { createExports, type Exports } from './transfer/exports.ts';
import type { TransferKind } from './transfer/kind.ts';

export interface SubgraphDefinition<Client = unknown, Service = unknown> {
  name: Domain;
  /** Files of the subgraph's contract (see contract.ts); what is common to all is added. */
  typeDefs: URL[];
  resolvers: object;
  /** Tables that can be exported and imported. @default none */
  exports?: readonly TransferKind[];
  createPrisma(adapter: PrismaPg): Client;
  /** Starts what the subgraph does beside its requests; resolvers find it in their context. */
  start?(parts: ServiceParts<Client>): Service & { stop(): Promise<void> };
}

/** What such a service may use while the subgraph runs. */
export interface ServiceParts<Client = unknown> {
  db: Database;
  graph: GraphClient;
  feed: Feed;
  health: Health;
  /** What the domain suffers on purpose. */
  faults: ActiveFaults;
  cache: Cache;
  log: Logger;
  redisUrl: string | undefined;
  /** What every key of it begins with: "trading:". */
  redisPrefix: string;
  /** Folder for files of this machine; undefined where nothing is to be kept on it. */
  dataDir: string | undefined;
  now(): Date;
  /** A fresh context for commands of the service's own, which go on with a trace; not before `start` has returned. */
  context(traceId?: string | null): SubgraphContext<Client>;
}

export interface SubgraphDependencies {
  /** URL of the domain's own role. */
  databaseUrl: string;
  /** Which instance of the domain this is. @default the singleton */
  instance?: string | undefined;
  poolSize?: number;
  graph: GraphClient;
  log: Logger;
  /** Redis, where there is one, with the domain's own user: ticks of the feed reach other processes faster. */
  redisUrl?: string | undefined;
  /** Folder for files of this machine. @default nothing is kept on it */
  dataDir?: string | undefined;
  /** Bytes of this process that its cache may take, about; 0 for no cache. @default DEFAULT_CACHE_BYTES */
  cacheBytes?: number | undefined;
  /** How much of the change log is kept. @default DEFAULT_RETENTION */
  retention?: Retention;
  /** Who may use fields that are not for everybody. @default OPEN_ACCESS */
  access?: Access | undefined;
  /** Whether the domain suffers faults that are injected on purpose. @default false */
  isChaosOn?: boolean | undefined;
  /** @default the system's clock */
  now?: () => Date;
}

export interface SubgraphRequest {
  document: DocumentNode;
  variables?: Record<string, unknown> | undefined;
  operationName?: string | undefined;
  /** x-request-id and traceparent are used. */
  headers: Record<string, string | undefined>;
  /** Ends a subscription. */
  signal?: AbortSignal | undefined;
}

export interface Subgraph {
  name: Domain;
  /** The contract as the composer reads it. */
  sdl: string;
  schema: GraphQLSchema;
  /** One query or command, or each event of a subscription, with a fresh context. Errors come back as clients may see them. */
  execute(request: SubgraphRequest): Promise<ExecutionResult | AsyncIterable<ExecutionResult>>;
  /** The domain's data as files. */
  exports: Exports;
  feed: Feed;
  health: Health;
  cache: Cache;
  createContext(headers: Record<string, string | undefined>): SubgraphContext<unknown>;
  /** Whether the domain's database answers. */
  isReady(): Promise<boolean>;
  /** Statements sent to PostgreSQL since the start. */
  statements(): number;
  /** Messages in which they went: each is a way to the database and back. */
  messages(): number;
  close(): Promise<void>;
}

type ResolverMap = NonNullable<
  Extract<Parameters<typeof buildSubgraphSchema>[0], { resolvers?: unknown }>['resolvers']
>;

/** Declares a subgraph; `startSubgraph` runs it. */
export function defineSubgraph<Client, Service = undefined>(
  definition: SubgraphDefinition<Client, Service>,
): SubgraphDefinition<Client, Service> {
  return definition;
}

/** What complains of faults, in the domain's health. */
const SUFFERING = 'what it suffers on purpose';

/** Reads that are under way at a restart are answered within this, or fail. */
const GRACE_MS = 1_000; // 1 second

/** The subgraph's contract, what is common to all first. */
export function readTypeDefs(definition: Pick<SubgraphDefinition, 'typeDefs'>): string {
  return [...COMMON_CONTRACT, ...definition.typeDefs].map((file) => readFileSync(file, 'utf8')).join('\n');
}

export function startSubgraph<Client, Service>(
  definition: SubgraphDefinition<Client, Service>,
  dependencies: SubgraphDependencies,
): Subgraph {
  const { name } = definition;
  const { databaseUrl, instance } = dependencies;
  const log = dependencies.log.child({ domain: name, ...(instance !== undefined && { instance }) });
  const settings = settingsOf({ ...dependencies, log });
  const { access, now } = settings;
  const sdl = readTypeDefs(definition);
  const resolvers = { ...scalarResolvers, ...definition.resolvers } as ResolverMap;
  const schema = buildSubgraphSchema([{ typeDefs: parse(sdl), resolvers }]);
  let chaos = NO_CHAOS;
  const open = () => openDomain(definition, settings, () => chaos.faults);
  let running = open();
  let [statements, messages] = [0, 0];
  let closing: Promise<void> = Promise.resolve();
  if (dependencies.isChaosOn && isStruckDomain(name)) {
    const { db, feed } = running;
    chaos = startChaos(name, { db, feed, log, now });
    chaos.guard(schema);
  }
  guardFields(schema);
  running.start();
  running.health.heed(SUFFERING, chaos.complaints);
  chaos.begin({
    pause: () => running.pause(),
    resume: () => running.start(),
    async renew() {
      const old = running;
      running = open();
      running.health.heed(SUFFERING, chaos.complaints);
      statements += old.db.statements();
      messages += old.db.messages();
      closing = closing.then(() => old.close(GRACE_MS));
      return running;
    },
  });
  const contextFor: ContextFor = (headers, isFresh) => running.contextFor(headers, isFresh);

  return {
    name,
    sdl,
    schema,
    exports: createExports({
      domain: name,
      schema: { url: databaseUrl, schema: schemaOf(name, instance) },
      kinds: definition.exports ?? [],
      access,
    }),
    get feed() {
      return running.feed;
    },
    get health() {
      return running.health;
    },
    get cache() {
      return running.cache;
    },
    createContext: contextFor,
    statements: () => statements + running.db.statements(),
    messages: () => messages + running.db.messages(),
    isReady: () =>
      running.db.query(sql`select 1`).then(
        () => true,
        () => false,
      ),
    async close() {
      await chaos.stop();
      await Promise.all([closing, running.close()]);
    },
    async execute(request) {
      const operation = getOperationAST(request.document, request.operationName);
      if (operation?.operation === 'subscription') return subscribe(schema, request, contextFor);
      return answer(schema, request, contextFor(request.headers, operation?.operation === 'mutation'));
    },
  };
}

/** What a command has done is read from PostgreSQL. */
type ContextFor = (headers: SubgraphRequest['headers'], isFresh?: boolean) => SubgraphContext<unknown>;

async function answer(
  schema: GraphQLSchema,
  { document, variables, operationName }: SubgraphRequest,
  contextValue: SubgraphContext<unknown>,
  rootValue?: unknown,
): Promise<ExecutionResult> {
  const result = await execute({
    schema,
    document,
    contextValue,
    rootValue,
    ...(variables && { variableValues: variables }),
    ...(operationName !== undefined && { operationName }),
  });
  const shown = result.errors ? { ...result, errors: showErrors(result.errors, contextValue) } : result;
  const degraded = degradedIn(contextValue);
  return degraded ? { ...shown, extensions: { ...shown.extensions, degraded } } : shown;
}

/** The stream lives long, so each event has a context of its own: loaders would answer later ones with old rows. */
async function subscribe(
  schema: GraphQLSchema,
  request: SubgraphRequest,
  contextFor: ContextFor,
): Promise<ExecutionResult | AsyncIterable<ExecutionResult>> {
  const { document, variables, operationName, headers, signal } = request;
  const source = await createSourceEventStream({
    schema,
    document,
    contextValue: contextFor(headers),
    ...(variables && { variableValues: variables }),
    ...(operationName !== undefined && { operationName }),
  });
  if (!isStream(source)) return { ...source, errors: showErrors(source.errors ?? [], contextFor(headers)) };
  const events = endOn(signal, source);
  return mapStream(
    events,
    (event) => answer(schema, request, contextFor(headers), event),
    (error) => showErrors([asGraphQLError(error)], contextFor(headers))[0],
  );
}

function asGraphQLError(error: unknown): GraphQLError {
  if (error instanceof GraphQLError) return error;
  const originalError = error instanceof Error ? error : new Error(String(error));
  return new GraphQLError(originalError.message, { originalError });
}

/** The stores that were not to be had for an answer, or null. */
export function degradedIn({ domain, degraded }: Pick<SubgraphContext<unknown>, 'domain' | 'degraded'>) {
  return degraded.size === 0 ? null : [...degraded.values()].map((state) => ({ domain, ...state }));
}

/** The errors as clients may see them; bugs are logged whole. */
export function showErrors(
  errors: NonNullable<ExecutionResult['errors']>,
  context: Pick<SubgraphContext<unknown>, 'domain' | 'requestId' | 'log'>,
) {
  return errors.map((error) => {
    const { shown, bug } = publicError(error, context);
    if (bug) context.log.error({ err: bug, requestId: context.requestId, path: error.path }, 'a resolver failed');
    return shown;
  });
}
