/** JSON in the one spelling that is hashed (RFC 8785): keys in the order of their UTF-16 units, no blanks. */

/** The canonical text of a JSON value. Throws on what JSON cannot say. */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError(`${value} has no place in JSON`);
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item ?? null)).join(',')}]`;
  if (typeof value !== 'object') throw new TypeError(`A ${typeof value} has no place in JSON`);
  const fields: string[] = [];
  for (const key of Object.keys(value).sort()) {
    const inner = (value as Record<string, unknown>)[key];
    if (inner !== undefined) fields.push(`${JSON.stringify(key)}:${canonicalJson(inner)}`);
  }
  return `{${fields.join(',')}}`;
}

type Reviver = (this: unknown, key: string, value: unknown, context: { source?: string }) => unknown;

/**
 * The value of a JSON text as the database keeps it. A number that no double is comes as its text, marked: two texts that
 * a double cannot tell apart must not have one hash.
 */
export function readJson(text: string): unknown {
  const reviver: Reviver = (_key, value, { source }) =>
    typeof value === 'number' && source !== undefined && !isExact(source, value) ? `number:${source}` : value;
  return JSON.parse(text, reviver as (key: string, value: unknown) => unknown);
}

function isExact(source: string, value: number): boolean {
  return source === String(value) || plain(source) === plain(String(value));
}

/** Digits without an exponent, leading or trailing zeros: 1e21 and 1000000000000000000000 are one. */
function plain(text: string): string {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? [];
  const digits = whole + fraction;
  const stripped = digits.replace(/^0+/, '');
  if (stripped === '') return '0';
  const kept = stripped.replace(/0+$/, '');
  const power = Number(exponent) - fraction.length + (stripped.length - kept.length);
  return `${sign}${kept}e${power}`;
}
