/**
 * How commands see rows: as Prisma gives those of `$queryRaw`, under the names that the statement gives them. Numerics
 * are decimals, bigints are bigints, instants are dates.
 */
import pg from 'pg';
import { dec } from '../decimal.ts';
import type { Answer } from './message.ts';
import { instant, objectsOf } from './rows.ts';

const { builtins } = pg.types;

/** Its types say otherwise. */
const arrays = pg.types.arrayParser as unknown as { create(text: string, parse: Parser): { parse(): unknown[] } };

type Parser = (text: string) => unknown;

const scalars: [oid: number, arrayOid: number, parse: Parser][] = [
  [builtins.NUMERIC, 1231, dec],
  [builtins.INT8, 1016, BigInt],
  [builtins.TIMESTAMPTZ, 1185, (text) => new Date(instant(text))],
  [builtins.DATE, 1182, (text) => new Date(text)],
];

const parsers = new Map<number, Parser>(
  scalars.flatMap(([oid, arrayOid, parse]) => [
    [oid, parse],
    [arrayOid, (text: string) => arrays.create(text, parse).parse()],
  ]),
);

/** Parsers for a connection that runs with `TimeZone=UTC`. */
export const commandTypes: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number) =>
    parsers.get(oid) ?? pg.types.getTypeParser(oid)) as pg.CustomTypesConfig['getTypeParser'],
};

/** The rows of an answer as objects. */
export function toRows<Row>({ fields, rows }: Answer): Row[] {
  return objectsOf(
    fields.map(({ name }) => name),
    rows,
  );
}
