/** The domains of the graph. A domain's name is its subgraph's name and its folder under subgraphs/ and prisma/. */
export const DOMAINS = ['market-data', 'exchange', 'trading'] as const;

export type Domain = (typeof DOMAINS)[number];

/** Port on which a domain's subgraph listens when it runs as a process of its own. */
export const DEFAULT_PORTS: Record<Domain, number> = { 'market-data': 4001, exchange: 4002, trading: 4003 };

/** The start of a domain's environment variables: "market-data" → "MARKET_DATA". */
export function environmentPrefix(domain: Domain): string {
  return domain.toUpperCase().replaceAll('-', '_');
}

/** The PostgreSQL schema that holds a domain's tables: "market-data" → "market_data". */
export function schemaOf(domain: Domain): string {
  return domain.replaceAll('-', '_');
}

/** What every Redis key of the domain begins with. */
export function redisPrefixOf(domain: Domain): string {
  return REDIS_PREFIXES[domain];
}

const REDIS_PREFIXES: Record<Domain, string> = { 'market-data': 'market:', exchange: 'exchange:', trading: 'trading:' };
