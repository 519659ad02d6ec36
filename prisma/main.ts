/** `npm run migrate`: brings every domain's schema up to date and ends. Safe to run again, and by two at once. */
import { readConfig } from '../platform/config.ts';
import { createLogger } from '../platform/log.ts';
import { runMain } from '../platform/process.ts';
import { openPostgres } from './open.ts';

await runMain(async (process) => {
  const config = readConfig();
  await openPostgres(config, createLogger({ level: config.logLevel, service: 'migrate' }), process);
  process.print('Every schema is up to date.');
  await process.stop();
});
