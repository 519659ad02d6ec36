/** A managed trade as texts, which is what Redis and SQLite hold: one text a column, or null. */
import { toWire } from '../../../../platform/decimal.ts';
import { type FieldKind, MANAGED_TRADE_FIELDS, type ManagedTrade } from '../rules/managed-trade.ts';

export type Texts = Record<string, string | null>;

export interface Field {
  name: keyof ManagedTrade;
  /** "trade_id" */
  column: string;
  kind: FieldKind;
}

export const FIELDS: readonly Field[] = Object.entries(MANAGED_TRADE_FIELDS).map(([name, kind]) => ({
  name: name as keyof ManagedTrade,
  column: name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`),
  kind,
}));

/** The trade's texts by column. Instants have six fractional digits, so that they sort as text. */
export function toTexts(trade: ManagedTrade): Texts {
  return Object.fromEntries(FIELDS.map(({ name, column, kind }) => [column, toText(kind, trade[name])]));
}

function toText(kind: FieldKind, value: unknown): string | null {
  if (value === null) return null;
  if (kind === 'json') return JSON.stringify(value);
  return kind === 'instant' ? padded(String(value)) : String(value);
}

/** @throws Error when the texts are no trade: a record that cannot be read is not one that is absent */
export function fromTexts(texts: Readonly<Texts>): ManagedTrade {
  try {
    return Object.fromEntries(
      FIELDS.map(({ name, column, kind }) => [name, fromText(kind, texts[column])]),
    ) as unknown as ManagedTrade;
  } catch (cause) {
    throw new Error(`the record of managed trade "${texts.trade_id}" cannot be read`, { cause });
  }
}

function fromText(kind: FieldKind, text: string | null | undefined): unknown {
  if (text === undefined) throw new Error('a field is missing');
  if (text === null) return null;
  if (kind === 'json') return JSON.parse(text);
  if (kind === 'count') return count(text);
  if (kind === 'amount') return toWire(text);
  return kind === 'instant' ? trimmed(text) : text;
}

function count(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new Error(`"${text}" is no version`);
  return value;
}

/** "2026-01-01T00:00:00.25Z" → "2026-01-01T00:00:00.250000Z" */
function padded(instant: string): string {
  const [seconds = '', fraction = ''] = instant.replace('Z', '').split('.');
  return `${seconds}.${fraction.padEnd(6, '0')}Z`;
}

/** The other way round: as every row of the platform has it. */
function trimmed(instant: string): string {
  return instant.replace(/\.?0*Z$/, 'Z');
}

/** Microseconds since 1970: exact in a double for another two centuries. */
export function microseconds(instant: string): number {
  const fraction = padded(instant).slice(-7, -1);
  return Math.floor(Date.parse(instant) / 1_000) * 1_000_000 + Number(fraction);
}

/** A trade in canonical form, whatever its source wrote: what two stores say of it can then be compared. */
export function canonical(row: ManagedTrade): ManagedTrade {
  return fromTexts(toTexts(row));
}

/** Columns in which two trades differ. */
export function differences(one: ManagedTrade, other: ManagedTrade): string[] {
  const [a, b] = [toTexts(one), toTexts(other)];
  return FIELDS.filter(({ column, kind }) => {
    if (kind !== 'json') return a[column] !== b[column];
    return JSON.stringify(sorted(one.metadata)) !== JSON.stringify(sorted(other.metadata));
  }).map(({ name }) => name);
}

/** PostgreSQL keeps no order of keys. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}
