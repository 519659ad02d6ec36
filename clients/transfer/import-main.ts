/** `npm run import -- trades trades.csv`: puts exported rows back as they were. */
import { basename, extname } from 'node:path';
import { parseArgs } from 'node:util';
import { readConfig } from '../../platform/config.ts';
import { createLogger } from '../../platform/log.ts';
import { runMain } from '../../platform/process.ts';
import { readFileRows } from '../../platform/transfer/encoding.ts';
import { importRows } from '../../platform/transfer/import.ts';
import { FORMATS, isFormat } from '../../platform/transfer/kind.ts';
import { schemaIn } from '../../prisma/open.ts';
import { orUsage } from '../usage.ts';
import { KINDS, kindNamed } from './place.ts';

const USAGE = `Usage: npm run import -- KIND FILE [--format ${FORMATS.join('|')}]

Puts rows that were exported back as they were: ${KINDS.join(', ')}.
Rows that are there already are left alone, so it is safe to run again; those that are there with other content, or that
the domain's rules refuse, are named and left out. Import strategies before orders, and orders before trades.
Ends with status 1 when a row was refused.`;

/** Refusals that are shown one by one. */
const SHOWN = 100;

await runMain(async (life) => {
  const { values, positionals } = readArguments(life.argv);
  const [kindName, path] = positionals;
  if (values.help || path === undefined) {
    life.print(USAGE);
    process.exitCode = values.help ? 0 : 1;
    return life.stop();
  }
  const { domain, kind } = kindNamed(kindName);
  const named = extname(path).slice(1);
  const format = values.format ?? (named === 'ndjson' ? 'json' : named);
  if (!isFormat(format)) throw new Error(`Say what ${path} is: --format ${FORMATS.join(', ')}.`);
  const config = readConfig();
  const log = createLogger({ level: config.environment.LOG_LEVEL ? config.logLevel : 'error', service: 'import' });
  const schema = await schemaIn(domain, config, log, life);
  const name = basename(path);
  let refusals = 0;
  const { stored, known, refused } = await importRows({
    schema,
    kind,
    read: (typeOf) => readFileRows(path, format, typeOf),
    onRefused(place, reason) {
      if (refusals++ < SHOWN) process.stderr.write(`${name}, ${place}: ${reason}\n`);
    },
  });
  if (refused > SHOWN) process.stderr.write(`${name}: ${refused - SHOWN} more were refused\n`);
  life.print(`${name}: ${stored} ${kind.name} restored, ${known} already there, ${refused} refused`);
  if (refused > 0) process.exitCode = 1;
  await life.stop();
});

function readArguments(argv: string[]) {
  const options = { format: { type: 'string' }, help: { type: 'boolean' } } as const;
  return orUsage(USAGE, () => parseArgs({ args: argv, allowPositionals: true, options }));
}
