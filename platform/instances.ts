/**
 * Named instances of a domain (domain.md §1.11). Without a name a domain runs once, as a singleton, such as
 * trading-system-engine; trading-system-engine-lh is the instance "lh". Each has a PostgreSQL schema, a role and Redis
 * keys of its own, so that several stand side by side in one database and one Redis.
 */
import { z } from 'zod';
import { type Domain, environmentPrefix } from './domains.ts';

/**
 * A service's name with its instance's is a DNS label, and a role's a PostgreSQL identifier: both end at 63 characters,
 * and "test_coordination_…_adapter" needs 26 for itself.
 */
export const INSTANCE_LENGTH = 32;

/**
 * With these words a domain's own keys go on after its prefix ("trading:changes"): an instance of that name would have
 * its keys among those of the singleton.
 */
const TAKEN = [
  'anchors',
  'cache',
  'changes',
  'config',
  'configs',
  'events',
  'fence',
  'health',
  'heartbeat',
  'lock',
  'marks',
  'service',
  'services',
  'trade-store',
  'trade-store-index',
  'trade-store-whole',
];

/** The name of an instance, as settings give it. */
export const instanceName = z
  .string()
  .refine((name) => name.length <= INSTANCE_LENGTH && /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(name), {
    error: ({ input }) =>
      `must be a DNS label of lower-case letters, digits and inner dashes, of at most ${INSTANCE_LENGTH} characters, ` +
      `but got: "${input}"`,
  })
  .refine((name) => !TAKEN.includes(name), { error: ({ input }) => `"${input}" is a word of the domain’s own keys` });

/**
 * The domain's instance: `<DOMAIN>_INSTANCE` where set, else `INSTANCE`, which names one of every domain; undefined for
 * the singleton. Throws naming the variable whose value is no name.
 */
export function instanceOf(domain: Domain, environment: NodeJS.ProcessEnv): string | undefined {
  const variable = [`${environmentPrefix(domain)}_INSTANCE`, 'INSTANCE'].find((name) => environment[name]);
  if (variable === undefined) return undefined;
  const parsed = instanceName.safeParse(environment[variable]);
  if (!parsed.success) throw new Error(`${variable}: ${parsed.error.issues[0]?.message}`);
  return parsed.data;
}
