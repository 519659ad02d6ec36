/** Which program this process runs, and how others tell it from its like. */
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';

export interface Identity {
  /** Host and process: "db1:4711". */
  instance: string;
  /** Version of the program. */
  version: string;
  /** "development", "test" or "production". */
  environment: string;
}

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

/** @param environment @default NODE_ENV, or "development" */
export function identityOf(environment = process.env.NODE_ENV || 'development'): Identity {
  return { instance: `${hostname()}:${process.pid}`, version, environment };
}
