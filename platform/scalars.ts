/** The scalars that every contract has. Each refusal says what came and what would be right. */
import { GraphQLScalarType, Kind, type ValueNode, valueFromASTUntyped } from 'graphql';
import { DECIMAL_PLACES, Decimal, toWire } from './decimal.ts';
import { badInput } from './errors.ts';
import { parseInstant } from './instant.ts';

/** Digits before the point that numeric(24,8) holds. */
const INTEGER_DIGITS = 16;
const JSON_LIMIT_BYTES = 65_536; // 64 KiB

function parseDecimal(value: unknown): string {
  if (typeof value !== 'string') {
    throw badInput(
      `Decimal must be text, for example "0.5", but got the ${Array.isArray(value) ? 'list' : typeof value} ${JSON.stringify(value)}.`,
    );
  }
  const match = /^([+-]?)(\d+)(?:\.(\d+))?$/.exec(value);
  if (!match) throw badInput(`Decimal must be digits with an optional point, for example "-12.5", but got "${value}".`);
  const [, sign = '', whole = '', fraction = ''] = match;
  if (fraction.length > DECIMAL_PLACES) {
    throw badInput(
      `Decimal takes at most ${DECIMAL_PLACES} fractional digits, but got ${fraction.length} in "${value}".`,
    );
  }
  const digits = whole.replace(/^0+(?=\d)/, '');
  if (digits.length > INTEGER_DIGITS) {
    throw badInput(
      `Decimal takes at most ${INTEGER_DIGITS} digits before the point, but got ${digits.length} in "${value}".`,
    );
  }
  return toWire(`${sign === '-' ? '-' : ''}${digits}${fraction && `.${fraction}`}`);
}

const decimalScalar = new GraphQLScalarType<string, string>({
  name: 'Decimal',
  parseValue: parseDecimal,
  parseLiteral: (node: ValueNode) => {
    if (node.kind === Kind.STRING) return parseDecimal(node.value);
    const shown = 'value' in node ? String(node.value) : node.kind;
    throw badInput(`Decimal must be written as text, "${shown}", not as a bare ${shown}.`);
  },
  serialize: (value) => {
    if (typeof value === 'string' || value instanceof Decimal) return toWire(value);
    throw new TypeError(`Decimal cannot be written from ${typeof value} ${String(value)}`);
  },
});

function parseDateTime(value: unknown): string {
  if (typeof value !== 'string') {
    throw badInput(`DateTime must be text, for example "2026-01-01T00:00:00Z", but got ${JSON.stringify(value)}.`);
  }
  const parsed = parseInstant(value);
  if ('problem' in parsed) throw badInput(`DateTime ${parsed.problem}, but got "${value}".`);
  return parsed.instant;
}

const dateTimeScalar = new GraphQLScalarType<string, string>({
  name: 'DateTime',
  parseValue: parseDateTime,
  parseLiteral: (node: ValueNode) => parseDateTime('value' in node ? node.value : node.kind),
  serialize: (value) => {
    if (typeof value === 'string') return value;
    if (value instanceof Date) return value.toISOString();
    throw new TypeError(`DateTime cannot be written from ${typeof value} ${String(value)}`);
  },
});

function parseJson(value: unknown): Record<string, unknown> {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw badInput(`JSON must be an object, for example {"desk": "a"}, but got ${JSON.stringify(value)}.`);
  }
  const bytes = Buffer.byteLength(JSON.stringify(value));
  if (bytes > JSON_LIMIT_BYTES) throw badInput(`JSON takes at most ${JSON_LIMIT_BYTES} bytes, but got ${bytes}.`);
  return value as Record<string, unknown>;
}

const jsonScalar = new GraphQLScalarType<Record<string, unknown>, unknown>({
  name: 'JSON',
  parseValue: parseJson,
  parseLiteral: (node, variables) => parseJson(valueFromASTUntyped(node, variables)),
  serialize: (value) => value,
});

/** Resolvers of the scalars, for every subgraph. */
export const scalarResolvers = { Decimal: decimalScalar, DateTime: dateTimeScalar, JSON: jsonScalar };
