/** What the command lines of benchmarks with several cases have in common. */
import { parseArgs } from 'node:util';

/** The cases that `--only` names, all where it does not, and whether `--quick` was given. Throws on a case there is not. */
export function chooseCases(cases: Readonly<Record<string, unknown>>): { names: string[]; isQuick: boolean } {
  const { values } = parseArgs({ options: { only: { type: 'string' }, quick: { type: 'boolean', default: false } } });
  const names = values.only?.split(',') ?? Object.keys(cases);
  const unknown = names.find((name) => !(name in cases));
  if (unknown) throw new Error(`There is no case "${unknown}", only ${Object.keys(cases).join(', ')}.`);
  return { names, isQuick: values.quick };
}

/** Works on the database and stops it afterwards, also when the benchmark is interrupted. */
export async function stoppedAfterwards<Database extends { stop(): Promise<void> }>(
  database: Database,
  work: (database: Database) => Promise<void>,
): Promise<void> {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void database.stop().then(() => process.exit(1)));
  }
  try {
    await work(database);
  } finally {
    await database.stop();
  }
}
