/** The domains of the graph. A domain's name is its subgraph's name and its folder under subgraphs/ and prisma/. */
export const DOMAINS = [
  'market-data',
  'exchange',
  'trading',
  'custodian',
  'risk',
  'test-coordination',
  'audit',
  'registry',
] as const;

export type Domain = (typeof DOMAINS)[number];

/** Port on which a domain's subgraph listens when it runs as a process of its own. */
export const DEFAULT_PORTS: Record<Domain, number> = {
  'market-data': 4001,
  exchange: 4002,
  trading: 4003,
  custodian: 4004,
  risk: 4005,
  'test-coordination': 4006,
  audit: 4007,
  registry: 4008,
};

/** The start of a domain's environment variables: "market-data" → "MARKET_DATA". */
export function environmentPrefix(domain: Domain): string {
  return domain.toUpperCase().replaceAll('-', '_');
}

/** How types of the graph are named after a domain: "market-data" → "MarketData". */
export function pascalCaseOf<Name extends Domain>(domain: Name): PascalCase<Name> {
  return domain.replaceAll(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase()) as PascalCase<Name>;
}

/** How fields of the graph are named after a domain: "market-data" → "marketData". */
export function camelCaseOf<Name extends Domain>(domain: Name): CamelCase<Name> {
  return domain.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase()) as CamelCase<Name>;
}

export type CamelCase<Name extends string> = Name extends `${infer Head}-${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : Name;
export type PascalCase<Name extends string> = Capitalize<CamelCase<Name>>;

/** The PostgreSQL schema that holds the tables of a domain, or of its instance "lh": "market_data", "market_data_lh". */
export function schemaOf(domain: Domain, instance?: string): string {
  return (instance === undefined ? domain : `${domain}-${instance}`).replaceAll('-', '_');
}

/** The PostgreSQL role that owns that schema, and the Redis user beside it: "market_data_adapter". */
export function roleOf(domain: Domain, instance?: string): string {
  return `${schemaOf(domain, instance)}_adapter`;
}

/** What every Redis key of a domain, or of its instance "lh", begins with: "trading:", "trading:lh:". */
export function redisPrefixOf(domain: Domain, instance?: string): string {
  const prefix = REDIS_PREFIXES[domain];
  return instance === undefined ? prefix : `${prefix}${instance}:`;
}

const REDIS_PREFIXES: Record<Domain, string> = {
  'market-data': 'market:',
  exchange: 'exchange:',
  trading: 'trading:',
  custodian: 'custodian:',
  risk: 'risk:',
  'test-coordination': 'test:',
  audit: 'audit:',
  registry: 'registry:',
};
