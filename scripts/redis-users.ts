/**
 * `npm run redis:users -- users.acl`: writes the Redis users of the settings into the file, as redis-server reads it
 * (--aclfile), with hashes for passwords; without a file it prints them. Users of other instances that the file has stay.
 * `-- --development` makes deploy/redis/users.acl, whose passwords are those of docker-compose.yml: the domains' names.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { readConfig } from '../platform/config.ts';
import { DOMAINS, environmentPrefix, roleOf } from '../platform/domains.ts';
import { runMain } from '../platform/process.ts';
import { userLines, withUsers } from '../platform/redis-users.ts';

const DEVELOPMENT = fileURLToPath(new URL('../deploy/redis/users.acl', import.meta.url));

await runMain(async (process) => {
  const [argument] = process.argv;
  const isDevelopment = argument === '--development';
  const environment = isDevelopment ? developmentUrls() : readConfig().environment;
  const lines = userLines(environment.REDIS_URL, environment);
  const file = isDevelopment ? DEVELOPMENT : argument;
  if (file === undefined) process.print(lines.join('\n'));
  else writeFileSync(file, withUsers(existsSync(file) && !isDevelopment ? readFileSync(file, 'utf8') : '', lines));
  await process.stop();
});

function developmentUrls(): NodeJS.ProcessEnv {
  const urls = DOMAINS.map((domain) => [
    `${environmentPrefix(domain)}_REDIS_URL`,
    `redis://${roleOf(domain)}:${domain}@redis:6379`,
  ]);
  return Object.fromEntries(urls);
}
