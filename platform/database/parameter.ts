import { Decimal } from '../decimal.ts';

/** A statement's value as PostgreSQL reads it: as text, or as bytes. What an object says is JSON. */
export function parameter(value: unknown): string | Buffer | null {
  if (value === null || value === undefined) return null;
  if (typeof value !== 'object') return String(value);
  if (Decimal.isDecimal(value)) return value.toFixed();
  if (value instanceof Date) return value.toISOString();
  if (ArrayBuffer.isView(value)) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return Array.isArray(value) ? arrayText(value) : JSON.stringify(value);
}

/** `{"a","b",NULL}` */
function arrayText(items: readonly unknown[]): string {
  return `{${items.map((item) => (Array.isArray(item) ? arrayText(item) : elementText(item))).join(',')}}`;
}

function elementText(item: unknown): string {
  const value = parameter(item);
  if (value === null) return 'NULL';
  const text = typeof value === 'string' ? value : `\\x${value.toString('hex')}`;
  return `"${text.replace(/[\\"]/g, '\\$&')}"`;
}
