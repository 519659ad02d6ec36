/** `npm run restore -- trading FILE`: replaces a domain's data by that of a backup. */
import { runMain } from '../../platform/process.ts';
import { placeOf, readArguments } from './place.ts';
import { restore } from './restore.ts';

const USAGE = `Usage: npm run restore -- DOMAIN FILE

Replaces everything the domain has by what is in the backup, in one transaction. Processes of the domain may go on running;
they answer nothing meanwhile, and their subscribers begin anew.`;

await runMain(async (life) => {
  const asked = readArguments(life.argv, USAGE);
  if (asked === 'help') {
    life.print(USAGE);
    return life.stop();
  }
  const { domain, path } = asked;
  if (path === undefined) throw new Error(USAGE);
  const { rows, takenAt } = await restore(domain, await placeOf(domain, life), path);
  life.print(`${domain} is as it was at ${takenAt}: ${rows} rows restored.`);
  await life.stop();
});
