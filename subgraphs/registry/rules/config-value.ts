/** What a value of each type of configuration is, and how it is written. */
import { toWire } from '../../../platform/decimal.ts';
import { refuse } from '../../../platform/errors.ts';
import { parseInstant } from '../../../platform/instant.ts';
import { isStorable } from '../../../platform/texts.ts';

export const CONFIG_TYPES = ['STRING', 'INTEGER', 'DECIMAL', 'BOOLEAN', 'JSON', 'DURATION', 'DATETIME'] as const;

export type ConfigType = (typeof CONFIG_TYPES)[number];

const VALUE_LIMIT_BYTES = 65_536; // 64 KiB
const INTEGER_LIMIT = 2n ** 63n;
const DECIMAL = /^([+-]?)0*(\d{1,16})(\.\d{1,8})?$/;
const DURATION = /^P(?=\d|T\d)(\d{1,6}D)?(T(?=\d)(\d{1,9}H)?(\d{1,9}M)?(\d{1,9}(\.\d{1,9})?S)?)?$/;

/** The value in its one spelling, or what is wrong with it ("must be …"). */
type Reading = { value: string } | { problem: string };

const READERS: Record<ConfigType, (text: string) => Reading> = {
  STRING: (text) => ({ value: text }),
  INTEGER(text) {
    if (!/^[+-]?\d{1,30}$/.test(text)) return { problem: 'must be a whole number, for example 30' };
    const value = BigInt(text.replace('+', ''));
    const fits = value >= -INTEGER_LIMIT && value < INTEGER_LIMIT;
    return fits ? { value: String(value) } : { problem: 'must be a whole number of 64 bits' };
  },
  DECIMAL(text) {
    const match = DECIMAL.exec(text);
    if (!match) {
      return { problem: 'must be digits with at most 16 before and 8 after the point, for example 0.001' };
    }
    const [, sign = '', whole = '', fraction = ''] = match;
    return { value: toWire(`${sign === '-' ? '-' : ''}${whole}${fraction}`) };
  },
  BOOLEAN: (text) => (text === 'true' || text === 'false' ? { value: text } : { problem: 'must be true or false' }),
  JSON(text) {
    try {
      JSON.parse(text);
      return { value: text.trim() };
    } catch (error) {
      return { problem: `must be JSON (${(error as Error).message})` };
    }
  },
  DURATION: (text) =>
    DURATION.test(text)
      ? { value: text }
      : { problem: 'must be an ISO 8601 duration in days, hours, minutes and seconds, for example PT30S' },
  DATETIME(text) {
    const parsed = parseInstant(text);
    return 'problem' in parsed ? parsed : { value: parsed.instant };
  },
};

/**
 * The value as it is stored: one spelling for each (" 007" is no INTEGER, "007" is 7).
 * @throws Refusal (validation) when it is none of the type
 */
export function configValue(type: ConfigType, text: string): string {
  const path = ['input', 'value'];
  const bytes = Buffer.byteLength(text);
  if (bytes > VALUE_LIMIT_BYTES) {
    throw refuse.validation(`value takes at most ${VALUE_LIMIT_BYTES} bytes, but got ${bytes}.`, path);
  }
  if (!isStorable(text)) throw refuse.validation('value must be valid text without NUL characters.', path);
  const reading = READERS[type](text);
  if ('problem' in reading) throw refuse.validation(`A value of ${type} ${reading.problem}, but got "${text}".`, path);
  return reading.value;
}
