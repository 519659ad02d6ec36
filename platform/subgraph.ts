/** A subgraph: its contract, its resolvers, and one domain's database. It answers in process or over HTTP alike. */
import { readFileSync } from 'node:fs';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { PrismaPg } from '@prisma/adapter-pg';
import { type DocumentNode, type ExecutionResult, execute, type GraphQLSchema, parse } from 'graphql';
import { createContext, type SubgraphContext } from './context.ts';
import { openDatabase } from './database/database.ts';
import { sql } from './database/sql.ts';
import { type Domain, schemaOf } from './domains.ts';
import { publicError } from './errors.ts';
import type { GraphClient } from './graph-client.ts';
import type { Logger } from './log.ts';
import { scalarResolvers } from './scalars.ts';

export interface SubgraphDefinition<Client = unknown> {
  name: Domain;
  /** The subgraph's schema.graphql; common.graphql is added. */
  typeDefs: URL;
  resolvers: object;
  createPrisma(adapter: PrismaPg): Client;
}

export interface SubgraphDependencies {
  /** URL of the domain's own role. */
  databaseUrl: string;
  poolSize?: number;
  graph: GraphClient;
  log: Logger;
  /** @default the system's clock */
  now?: () => Date;
}

export interface SubgraphRequest {
  document: DocumentNode;
  variables?: Record<string, unknown> | undefined;
  operationName?: string | undefined;
  /** x-request-id and traceparent are used. */
  headers: Record<string, string | undefined>;
}

export interface Subgraph {
  name: Domain;
  /** The contract as the composer reads it. */
  sdl: string;
  schema: GraphQLSchema;
  /** One operation with a fresh context. Errors come back as clients may see them. */
  execute(request: SubgraphRequest): Promise<ExecutionResult>;
  createContext(headers: Record<string, string | undefined>): SubgraphContext<unknown>;
  /** Whether the domain's database answers. */
  isReady(): Promise<boolean>;
  /** Statements sent to PostgreSQL since the start. */
  statements(): number;
  close(): Promise<void>;
}

type ResolverMap = NonNullable<
  Extract<Parameters<typeof buildSubgraphSchema>[0], { resolvers?: unknown }>['resolvers']
>;

/** Declares a subgraph; `startSubgraph` runs it. */
export function defineSubgraph<Client>(definition: SubgraphDefinition<Client>): SubgraphDefinition<Client> {
  return definition;
}

const COMMON = new URL('./schema/common.graphql', import.meta.url);

/** The subgraph's contract, common.graphql first. */
export function readTypeDefs(definition: Pick<SubgraphDefinition, 'typeDefs'>): string {
  return `${readFileSync(COMMON, 'utf8')}\n${readFileSync(definition.typeDefs, 'utf8')}`;
}

export function startSubgraph<Client>(
  definition: SubgraphDefinition<Client>,
  dependencies: SubgraphDependencies,
): Subgraph {
  const { name } = definition;
  const { graph, databaseUrl, poolSize, now = () => new Date() } = dependencies;
  const log = dependencies.log.child({ domain: name });
  const sdl = readTypeDefs(definition);
  const resolvers = { ...scalarResolvers, ...definition.resolvers } as ResolverMap;
  const schema = buildSubgraphSchema([{ typeDefs: parse(sdl), resolvers }]);
  const schemaName = schemaOf(name);
  const db = openDatabase({ url: databaseUrl, schema: schemaName, log, ...(poolSize !== undefined && { poolSize }) });
  const prisma = definition.createPrisma(new PrismaPg(db.pool, { schema: schemaName }));

  const contextFor = (headers: Record<string, string | undefined>) =>
    createContext({ domain: name, db, prisma, graph, log, now, headers });

  return {
    name,
    sdl,
    schema,
    createContext: contextFor,
    statements: db.statements,
    isReady: () =>
      db.query(sql`select 1`).then(
        () => true,
        () => false,
      ),
    close: () => db.close(),
    async execute({ document, variables, operationName, headers }) {
      const context = contextFor(headers);
      const result = await execute({
        schema,
        document,
        contextValue: context,
        ...(variables && { variableValues: variables }),
        ...(operationName !== undefined && { operationName }),
      });
      return result.errors ? { ...result, errors: showErrors(result.errors, context) } : result;
    },
  };
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
