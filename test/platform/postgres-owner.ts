/** A process that owns (or shares) an embedded PostgreSQL, for tests that kill it. Prints what it got as one line. */
import { createLogger } from '../../platform/log.ts';
import { startEmbeddedPostgres } from '../../platform/postgres/embedded.ts';

const log = createLogger({ level: 'silent', service: 'test' });
const server = await startEmbeddedPostgres({ dataDir: process.argv[2] as string, port: 0, log });
process.stdout.write(`${JSON.stringify({ url: server.url, port: server.port, owned: server.owned })}\n`);
process.stdin.on('end', () => void server.stop().then(() => process.exit(0))).resume();
