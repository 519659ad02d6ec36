/** Each domain's own PostgreSQL role: it owns its schema and may enter no other. */
import { createHmac } from 'node:crypto';
import { type Domain, environmentPrefix, schemaOf } from '../platform/domains.ts';

/** The role that owns a domain's schema: "market-data" → "market_data_adapter". */
export function roleOf(domain: Domain): string {
  return `${schemaOf(domain)}_adapter`;
}

/**
 * URL with which a domain's subgraph connects: `<DOMAIN>_DATABASE_URL` where set, else the administrator's URL with
 * the domain's role and a password that follows from the administrator's, so that nothing need be configured.
 */
export function domainUrl(adminUrl: string, domain: Domain, environment: NodeJS.ProcessEnv = process.env): string {
  const own = environment[`${environmentPrefix(domain)}_DATABASE_URL`];
  if (own) return own;
  const url = new URL(adminUrl);
  const role = roleOf(domain);
  url.password = createHmac('sha256', decodeURIComponent(url.password)).update(role).digest('hex');
  url.username = role;
  return url.href;
}
