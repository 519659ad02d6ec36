/**
 * `npm run token -- administrator`: prints a token with these roles, signed with AUTH_SECRET, for the header
 * `authorization: Bearer <token>`. `--hours 8` says how long it is good for (default 1), `--subject ann` for whom.
 */
import { parseArgs } from 'node:util';
import { ROLES, signToken } from '../platform/access.ts';
import { readConfig } from '../platform/config.ts';
import { runMain } from '../platform/process.ts';

await runMain(async (process) => {
  const { values, positionals } = parseArgs({
    args: process.argv,
    allowPositionals: true,
    options: { hours: { type: 'string', default: '1' }, subject: { type: 'string' } },
  });
  const { secret, issuer, audience } = readConfig().access;
  if (secret === undefined) throw new Error('Set AUTH_SECRET to the secret that the graph has.');
  const unknown = positionals.find((role) => !(ROLES as readonly string[]).includes(role));
  if (unknown !== undefined || positionals.length === 0) throw new Error(`Name roles: ${ROLES.join(', ')}.`);
  const hours = Number(values.hours);
  if (!(hours > 0)) throw new Error(`--hours takes a number above 0, but got "${values.hours}".`);

  const token = { roles: positionals, seconds: hours * 3_600, subject: values.subject };
  process.print(await signToken({ secret, issuer, audience }, token));
  await process.stop();
});
