/** The whole graph in this process, on a real PostgreSQL database of its own. */
import { parse } from 'graphql';
import pg from 'pg';
import { inject } from 'vitest';
import { DOMAINS, type Domain, schemaOf } from '../../platform/domains.ts';
import { createGraphClient, type GraphClient } from '../../platform/graph-client.ts';
import { createLogger } from '../../platform/log.ts';
import { type Subgraph, type SubgraphDefinition, startSubgraph } from '../../platform/subgraph.ts';
import { domainUrl } from '../../prisma/roles.ts';
import { copyTemplate } from './databases.ts';

export interface Answer {
  // biome-ignore lint/suspicious/noExplicitAny: a test reads whatever shape its query asked for
  data: any;
  errors?: { message: string; path?: (string | number)[]; extensions: Record<string, unknown> }[];
}

export interface TestGraph {
  subgraph(domain: Domain, query: string, variables?: Record<string, unknown>): Promise<Answer>;
  /** Rows of a statement sent as the domain's own role, as pg gives them. */
  // biome-ignore lint/suspicious/noExplicitAny: a test reads whatever shape its statement gives
  sql(domain: Domain, text: string, params?: unknown[]): Promise<any[]>;
  client: GraphClient;
  subgraphs: Map<Domain, Subgraph>;
  statements(): number;
  close(): Promise<void>;
}

export async function startGraph(options: { now?: () => Date; poolSize?: number } = {}): Promise<TestGraph> {
  const { url, drop } = await copyTemplate(inject('adminUrl'));
  const log = createLogger({ level: process.env.LOG_LEVEL ?? 'error', service: 'test' });
  const subgraphs = new Map<Domain, Subgraph>();
  const pools = new Map<Domain, pg.Pool>();

  async function subgraph(domain: Domain, query: string, variables?: Record<string, unknown>): Promise<Answer> {
    const running = subgraphs.get(domain);
    if (!running) throw new Error(`There is no subgraph ${domain}`);
    const result = await running.execute({ document: parse(query), variables, headers: {} });
    return JSON.parse(JSON.stringify(result)) as Answer;
  }

  const client = createGraphClient((document, variables) => {
    const field = /\{\s*(\w+)/.exec(document)?.[1] ?? '';
    const owner = [...subgraphs.values()].find((part) => part.schema.getQueryType()?.getFields()[field]);
    if (!owner) throw new Error(`No subgraph answers ${field}`);
    return subgraph(owner.name, document, variables);
  });

  for (const domain of DOMAINS) {
    const module = (await import(`../../subgraphs/${domain}/index.ts`).catch((error: unknown) => {
      process.stderr.write(`${domain}: ${error}\n`);
      return {};
    })) as Record<string, SubgraphDefinition>;
    for (const definition of Object.values(module)) {
      subgraphs.set(
        domain,
        startSubgraph(definition, { databaseUrl: domainUrl(url, domain), graph: client, log, ...options }),
      );
    }
  }

  return {
    subgraph,
    client,
    subgraphs,
    async sql(domain, text, params = []) {
      let pool = pools.get(domain);
      if (!pool) {
        pool = new pg.Pool({
          connectionString: domainUrl(url, domain),
          max: 2,
          options: `-c search_path=${schemaOf(domain)}`,
        });
        pool.on('error', () => undefined); // dropping the database may meet a connection that is closing
        pools.set(domain, pool);
      }
      return (await pool.query(text, params)).rows;
    },
    statements: () => [...subgraphs.values()].reduce((sum, part) => sum + part.statements(), 0),
    async close() {
      await Promise.all([...subgraphs.values()].map((part) => part.close()));
      await Promise.all([...pools.values()].map((pool) => pool.end()));
      await drop();
    },
  };
}
