/** `npm run export -- trades --since 2026-01-01 --format csv`: a domain's rows as a file. `--help` says how. */
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { extname } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { readConfig } from '../../platform/config.ts';
import { createLogger } from '../../platform/log.ts';
import { runMain } from '../../platform/process.ts';
import { exportRows } from '../../platform/transfer/export.ts';
import { FORMATS, isFormat, readExportRequest } from '../../platform/transfer/kind.ts';
import { schemaIn } from '../../prisma/open.ts';
import { orUsage } from '../usage.ts';
import { KINDS, kindNamed } from './place.ts';

const USAGE = `Usage: npm run --silent export -- KIND [options]

Writes the rows of a KIND as they are at one instant: ${KINDS.join(', ')}.
  --since INSTANT   only rows at or after it: 2026-01-01 or 2026-01-01T09:30:00Z
  --until INSTANT   only rows before it
  --format FORMAT   ${FORMATS.join(', ')}; json is an object a line. Without it what the name of the file says, else csv
  --out FILE        where to; without it standard output
  --where NAME=TEXT only rows of it: symbol=BTC-USD, strategyId=…, accountId=…, interval=1m; may be repeated
  --help            shows this`;

await runMain(async (life) => {
  const { values, positionals } = readArguments(life.argv);
  if (values.help) {
    life.print(USAGE);
    return life.stop();
  }
  const { domain, kind } = kindNamed(positionals[0]);
  const request = readExportRequest(kind, parametersOf(values));
  if (request.format === 'parquet' && !values.out && process.stdout.isTTY) throw new Error('Say where to: --out FILE.');
  const config = readConfig();
  const log = createLogger({ level: config.environment.LOG_LEVEL ? config.logLevel : 'error', service: 'export' });
  const schema = await schemaIn(domain, config, log, life);
  const bytes = Readable.from(exportRows(schema, kind, request));
  await (values.out ? writeWhole(bytes, values.out) : pipeline(bytes, process.stdout, { end: false }));
  await life.stop();
});

function readArguments(argv: string[]) {
  const text = { type: 'string' } as const;
  const options = {
    since: text,
    until: text,
    format: text,
    out: text,
    where: { type: 'string', multiple: true },
    help: { type: 'boolean' },
  } as const;
  return orUsage(USAGE, () => parseArgs({ args: argv, allowPositionals: true, options }));
}

type Values = ReturnType<typeof readArguments>['values'];

function parametersOf({ since, until, format, out, where = [] }: Values): URLSearchParams {
  const parameters = new URLSearchParams();
  if (since !== undefined) parameters.append('since', since);
  if (until !== undefined) parameters.append('until', until);
  const named = extname(out ?? '').slice(1);
  const chosen = format ?? (named === 'ndjson' ? 'json' : isFormat(named) ? named : undefined);
  if (chosen !== undefined) parameters.append('format', chosen);
  for (const choice of where) {
    const [name = '', ...rest] = choice.split('=');
    parameters.append(name, rest.join('='));
  }
  return parameters;
}

/** The file appears under its name when it is whole. */
async function writeWhole(bytes: Readable, path: string): Promise<void> {
  const partial = `${path}.partial`;
  try {
    await pipeline(bytes, createWriteStream(partial));
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}
