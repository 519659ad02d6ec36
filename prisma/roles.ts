/** Each domain's own PostgreSQL role: it owns its schema and may enter no other. */
import { type Domain, environmentPrefix, roleOf } from '../platform/domains.ts';
import { instanceOf } from '../platform/instances.ts';
import { derivedPassword } from '../platform/passwords.ts';

/**
 * URL with which a domain's subgraph connects: `<DOMAIN>_DATABASE_URL` where set, else the administrator's URL with
 * the role of the domain, or of its instance, and a password that follows from the administrator's, so that nothing
 * need be configured.
 */
export function domainUrl(adminUrl: string, domain: Domain, environment: NodeJS.ProcessEnv = process.env): string {
  const own = environment[`${environmentPrefix(domain)}_DATABASE_URL`];
  if (own) return own;
  const url = new URL(adminUrl);
  const role = roleOf(domain, instanceOf(domain, environment));
  url.password = derivedPassword(decodeURIComponent(url.password), role);
  url.username = role;
  return url.href;
}
