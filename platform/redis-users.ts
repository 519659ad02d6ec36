/** Each domain's own Redis user: it may touch the keys of its domain, or of its instance, and no others. */
import { createHash } from 'node:crypto';
import { DOMAINS, type Domain, environmentPrefix, redisPrefixOf, roleOf } from './domains.ts';
import { instanceOf } from './instances.ts';
import { derivedPassword } from './passwords.ts';

/**
 * URL with which a domain's subgraph connects: `<DOMAIN>_REDIS_URL` where set, else REDIS_URL with the domain's user and
 * a password that follows from the one of REDIS_URL. A Redis whose URL has no password knows no users: everybody
 * connects with that URL. Undefined where there is no Redis.
 */
export function redisUrlOf<Url extends string | undefined>(
  redisUrl: Url,
  domain: Domain,
  environment: NodeJS.ProcessEnv,
): string | Url {
  const own = environment[`${environmentPrefix(domain)}_REDIS_URL`];
  if (own) return own;
  if (!redisUrl) return redisUrl;
  const url = new URL(redisUrl);
  if (url.password === '') return redisUrl;
  const user = roleOf(domain, instanceOf(domain, environment));
  url.password = derivedPassword(decodeURIComponent(url.password), user);
  url.username = user;
  return url.href;
}

/** Lets nobody in who does not say who he is. */
const NOBODY = 'user default off resetpass resetkeys resetchannels -@all';

/**
 * What a domain's user may: reading and writing of any kind, transactions, and scripts, which Redis holds to the same
 * keys. Not what is dangerous (KEYS, FLUSHDB, INFO, CONFIG, …), no channels, and no functions or flushing of scripts,
 * which all users of a server share.
 */
const COMMANDS = [
  '-@all +@read +@write +@keyspace +@connection +@transaction',
  '-@dangerous -@scripting +eval +evalsha +eval_ro +evalsha_ro +script|load +script|exists',
].join(' ');

/** The line of an ACL file that makes a domain's user. The password stands in it as a hash. */
export function userLine(domain: Domain, instance: string | undefined, password: string): string {
  const hash = createHash('sha256').update(password).digest('hex');
  const keys = `~${redisPrefixOf(domain, instance)}*`;
  return `user ${roleOf(domain, instance)} on #${hash} ${keys} resetchannels ${COMMANDS}`;
}

/**
 * The lines of an ACL file: nobody else, and the user of each domain's URL. Throws naming the variable to set when a URL
 * has no password, or a user that is not the domain's.
 */
export function userLines(redisUrl: string | undefined, environment: NodeJS.ProcessEnv): string[] {
  const lines = DOMAINS.map((domain) => {
    const instance = instanceOf(domain, environment);
    const url = redisUrlOf(redisUrl, domain, environment);
    const { username, password } = url ? new URL(url) : { username: '', password: '' };
    const user = roleOf(domain, instance);
    if (username === user && password !== '') return userLine(domain, instance, decodeURIComponent(password));
    const own = `${environmentPrefix(domain)}_REDIS_URL`;
    throw new Error(`Set REDIS_URL with a password, or ${own} with the user ${user} and its password.`);
  });
  return [NOBODY, ...lines];
}

/** The file with these lines in place of those it had of the same users; what it says of others stays. */
export function withUsers(file: string, lines: readonly string[]): string {
  const userOf = (line: string) => line.split(' ')[1];
  const users = new Set(lines.map(userOf));
  const others = file.split('\n').filter((line) => line !== '' && !users.has(userOf(line)));
  return [...lines, ...others].map((line) => `${line}\n`).join('');
}
