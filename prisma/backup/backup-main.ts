/** `npm run backup -- trading [--out FILE]`: one domain's data as a file. */
import { runMain } from '../../platform/process.ts';
import { backUp } from './backup.ts';
import { placeOf, readArguments } from './place.ts';

const USAGE = `Usage: npm run backup -- DOMAIN [--out FILE]

Writes a domain's rows, all as they are at one instant, while it goes on. Without --out the file is called
DOMAIN-TIME.backup.gz in the present folder. It holds everything the domain knows: keep it as you keep the database.`;

await runMain(async (life) => {
  const asked = readArguments(life.argv, USAGE);
  if (asked === 'help') {
    life.print(USAGE);
    return life.stop();
  }
  const { domain, out, path } = asked;
  if (path !== undefined) throw new Error(USAGE);
  const file = out ?? `${domain}-${new Date().toISOString().slice(0, 19).replaceAll(':', '')}Z.backup.gz`;
  const { tables, rows } = await backUp(domain, await placeOf(domain, life), file);
  life.print(`${file}: ${rows} rows of ${tables} tables of ${domain}`);
  await life.stop();
});
