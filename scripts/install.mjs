// Runs before every npm script, on any Node ≥ 20 and with nothing installed: brings node_modules up to the lock file
// and generates clients and types, and does nothing when both are current.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const OLDEST_NODE = 20;
const root = fileURLToPath(new URL('..', import.meta.url));
const stamp = `${root}node_modules/.installed`;

const major = Number(process.versions.node.split('.')[0]);
if (major < OLDEST_NODE) fail(`Node ${OLDEST_NODE} or newer is needed to begin, but this is ${process.version}.`);

const wanted = createHash('sha256')
  .update(readFileSync(`${root}package-lock.json`))
  .update(`${process.platform}-${process.arch}`)
  .digest('hex');

if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) {
  process.stdout.write('Installing packages (about a minute, once) …\n');
  // Not `npm ci`: it refuses a lock file that was written where binaries for other systems could not be had. The lock
  // still fixes every version, and --no-save leaves it as it is.
  const args = ['install', '--no-save', '--include=dev', '--include=optional', '--no-audit', '--no-fund'];
  run(npm(), args, 'npm install');
  writeFileSync(stamp, wanted);
}
run([`${root}node_modules/.bin/node`], [`${root}scripts/generate.ts`], 'generating clients and types');

/** The npm that runs this script, so that both are of one version. */
function npm() {
  const cli = process.env.npm_execpath;
  return cli ? [process.execPath, cli] : ['npm'];
}

function run([program, ...before], args, what) {
  const { status, error } = spawnSync(program, [...before, ...args], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    // Prisma would download a native engine; the graph uses the WebAssembly one, any existing file stops the download.
    env: { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: process.execPath },
  });
  if (error) fail(`${what} could not be started: ${error.message}`);
  if (status !== 0) fail(`${what} failed; see above.`);
}

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}
