/**
 * SQL as tagged templates: every `${value}` becomes a parameter, a nested `sql` fragment is spliced. The tag is
 * Prisma's, so one fragment serves both a read through the pool and `$queryRaw` inside a command.
 */
import { join, raw, Sql, sqltag } from '@prisma/client/runtime/client';

export { empty } from '@prisma/client/runtime/client';
export { join, raw, Sql, sqltag as sql };

const names = new WeakMap<Sql, string>();

/**
 * The statement under a name by which PostgreSQL remembers what it has parsed and planned, a connection long. For what
 * commands ask again and again: its text must always be the same.
 */
export function named(name: string, statement: Sql): Sql {
  names.set(statement, name);
  return statement;
}

/** The name that a statement was given, if it was. */
export function nameOf(statement: Sql): string | undefined {
  return names.get(statement);
}

/** A table or column name written into the statement as it stands. Throws unless it is a plain lower-case identifier. */
export function identifier(name: string): Sql {
  if (!/^[a-z_][a-z0-9_]*$/.test(name)) throw new Error(`Not a plain SQL identifier: "${name}"`);
  return raw(name);
}

/** The conditions joined by AND; `true` when there are none. */
export function allOf(conditions: readonly Sql[]): Sql {
  return conditions.length === 0 ? raw('true') : join([...conditions], ' and ');
}
