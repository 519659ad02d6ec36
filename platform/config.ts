/** Settings, read once from the environment, checked, and passed down. The README lists them in one table. */
import { z } from 'zod';
import type { AccessSettings } from './access.ts';
import { DEFAULT_CACHE_BYTES } from './cache/cache.ts';
import { DEFAULT_PORTS, DOMAINS, type Domain, environmentPrefix } from './domains.ts';
import { DEFAULT_RETENTION, type Retention } from './feed/retention.ts';
import { instanceName, instanceOf } from './instances.ts';
import { redisUrlOf } from './redis-users.ts';

const port = z.coerce.number().int().min(0).max(65_535);
const redisUrl = z.url({ protocol: /^rediss?$/ });

const common = z.object({
  /** Port of the gateway. */
  PORT: port.default(4000),
  /** Address to listen on. */
  HOST: z.string().default('127.0.0.1'),
  /** Administrator's URL of a PostgreSQL ≥ 15; without it an embedded one runs under DATA_DIR. */
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
  /** Where the embedded PostgreSQL keeps its data. */
  DATA_DIR: z.string().default('.data'),
  /** Port of the embedded PostgreSQL; another free one is taken when it is in use. */
  POSTGRES_PORT: port.default(54_329),
  /** Connections a subgraph opens to PostgreSQL at most. */
  DATABASE_POOL_SIZE: z.coerce.number().int().min(2).max(200).default(10),
  /** Bytes of its process that a subgraph's cache may take, about; 0 for no cache. */
  CACHE_BYTES: z.coerce.number().int().min(0).default(DEFAULT_CACHE_BYTES),
  /** Redis; without it every process reads its ticks from PostgreSQL. */
  REDIS_URL: redisUrl.optional(),
  /** Instance of every domain that has none of its own. */
  INSTANCE: instanceName.optional(),
  /** Age up to which changes are kept for clients that come back. */
  FEED_RETENTION_HOURS: z.coerce.number().min(0.01).max(8_760).default(DEFAULT_RETENTION.hours),
  /** Size up to which they are kept, a domain. */
  FEED_RETENTION_BYTES: z.coerce.number().int().min(8_388_608).default(DEFAULT_RETENTION.bytes),
  /** Where a subgraph process reaches the whole graph. */
  GATEWAY_URL: z.url().default('http://127.0.0.1:4000/graphql'),
  /** Secret that the tokens of callers are signed with; without it and AUTH_KEYS_URL everybody may do everything. */
  AUTH_SECRET: z.string().min(32).optional(),
  /** Where the issuer of tokens publishes its keys, instead of a secret. */
  AUTH_KEYS_URL: z.url({ protocol: /^https?$/ }).optional(),
  /** Who must have issued a token. */
  AUTH_ISSUER: z.string().optional(),
  /** For whom a token must have been issued. */
  AUTH_AUDIENCE: z.string().optional(),
  /** Token with all roles that this graph's services show one another; not needed where AUTH_SECRET is set. */
  AUTH_SERVICE_TOKEN: z.string().optional(),
  /** Whether domains suffer faults that are injected into them on purpose. */
  CHAOS: z.enum(['on', 'off']).default('off'),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
  NODE_ENV: z.enum(['development', 'test', 'production']).default('development'),
});

/** What each domain may have of its own. */
const ofDomains = z.object(
  Object.fromEntries(
    DOMAINS.map(environmentPrefix).flatMap((prefix) => [
      [`${prefix}_INSTANCE`, instanceName.optional()],
      [`${prefix}_REDIS_URL`, redisUrl.optional()],
    ]),
  ),
);

const schema = common.and(ofDomains);

export interface Config {
  port: number;
  host: string;
  databaseUrl: string | undefined;
  dataDir: string;
  postgresPort: number;
  databasePoolSize: number;
  /** URL with which each domain connects to Redis, where there is one. */
  redisUrls: Record<Domain, string | undefined>;
  /** The instance that each domain is here; undefined for the singleton. */
  instances: Record<Domain, string | undefined>;
  cacheBytes: number;
  retention: Retention;
  access: AccessSettings & { serviceToken: string | undefined };
  gatewayUrl: string;
  /** Whether domains suffer faults on purpose. */
  isChaosOn: boolean;
  logLevel: string;
  production: boolean;
  /** URL at which each domain's subgraph is reached when it is a process of its own. */
  subgraphUrls: Record<Domain, string>;
  environment: NodeJS.ProcessEnv;
}

/** The settings of a schema, by the names of their variables. Throws one error that lists every value that does not fit. */
export function checkSettings<Schema extends z.ZodType>(
  schema: Schema,
  environment: NodeJS.ProcessEnv,
): z.output<Schema> {
  const parsed = schema.safeParse(nonEmpty(environment));
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  throw new Error(`The environment has settings that do not fit:\n  ${problems.join('\n  ')}`);
}

/** An empty variable is one that is not set. */
function nonEmpty(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
}

/** Reads the settings that every process has. Throws one error that lists every value that does not fit. */
export function readConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  const present = nonEmpty(environment);
  const values = checkSettings(schema, present);
  return {
    port: values.PORT,
    host: values.HOST,
    databaseUrl: values.DATABASE_URL,
    dataDir: values.DATA_DIR,
    postgresPort: values.POSTGRES_PORT,
    databasePoolSize: values.DATABASE_POOL_SIZE,
    redisUrls: perDomain((domain) => redisUrlOf(values.REDIS_URL, domain, present)),
    instances: perDomain((domain) => instanceOf(domain, present)),
    cacheBytes: values.CACHE_BYTES,
    retention: { hours: values.FEED_RETENTION_HOURS, bytes: values.FEED_RETENTION_BYTES },
    access: {
      secret: values.AUTH_SECRET,
      keysUrl: values.AUTH_KEYS_URL,
      issuer: values.AUTH_ISSUER,
      audience: values.AUTH_AUDIENCE,
      serviceToken: values.AUTH_SERVICE_TOKEN,
    },
    gatewayUrl: values.GATEWAY_URL,
    isChaosOn: values.CHAOS === 'on',
    logLevel: values.LOG_LEVEL,
    production: values.NODE_ENV === 'production',
    subgraphUrls: perDomain((domain) => subgraphUrl(domain, present)),
    environment: present,
  };
}

/** `<DOMAIN>_URL` where set, else this machine at the domain's default port. */
function subgraphUrl(domain: Domain, environment: NodeJS.ProcessEnv): string {
  return environment[`${environmentPrefix(domain)}_URL`] ?? `http://127.0.0.1:${DEFAULT_PORTS[domain]}/graphql`;
}

function perDomain<Value>(read: (domain: Domain) => Value): Record<Domain, Value> {
  return Object.fromEntries(DOMAINS.map((domain) => [domain, read(domain)])) as Record<Domain, Value>;
}
