import { type Logger, pino } from 'pino';

export type { Logger };

/** A JSON logger on standard error, so that standard output stays free for what a person asked for. */
export function createLogger(options: { level: string; service: string }): Logger {
  return pino(
    {
      level: options.level,
      base: { service: options.service },
      redact: ['password', 'url', 'connectionString', 'headers.authorization'],
    },
    pino.destination({ fd: 2, sync: true }),
  );
}
