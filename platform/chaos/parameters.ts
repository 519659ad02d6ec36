/** What the parameters of each kind of fault may be, and what a fault with them is about. */
import { z } from 'zod';
import { refuse } from '../errors.ts';
import { normaliseSymbol } from '../symbols.ts';
import type { FaultKind } from './kinds.ts';

const PATH = ['input', 'parameters'];

/** Names or symbols in one fault at most. */
const NAMES_LIMIT = 50;

const operation = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,99}$/, 'must be the name of a field');
const operations = z.array(operation).min(1).max(NAMES_LIMIT).optional();
const symbols = z.array(z.string().max(50).transform(canonical)).min(1).max(NAMES_LIMIT).optional();
const milliseconds = (least: number) => z.int().min(least).max(60_000);
const decimal = z.string().regex(/^\d{1,4}(\.\d{1,8})?$/, 'must be a decimal written as text');
const share = decimal.refine((text) => Number(text) <= 1, 'must lie between "0" and "1"');
const multiplier = decimal.refine(
  (text) => Number(text) > 1 && Number(text) <= 1_000,
  'must lie above "1" and up to "1000"',
);

const SCHEMAS = {
  LATENCY: z.strictObject({ delayMs: milliseconds(1), jitterMs: milliseconds(0).optional(), operations }),
  REJECTION: z.strictObject({ share, operations }),
  DOWNTIME: z.strictObject({}),
  RESTART: z.strictObject({}),
  STALE_DATA: z.strictObject({ symbols }),
  SPREAD: z.strictObject({ multiplier, symbols }),
  SETTLEMENT_DELAY: z.strictObject({ delaySeconds: z.int().min(1).max(604_800) }), // a week
  SETTLEMENT_FAILURE: z.strictObject({ share }),
  HOLIDAY: z.strictObject({ date: z.iso.date(), calendar: z.enum(['US_NY', 'GB', 'EU_TARGET', 'JP']).optional() }),
} as const satisfies Record<FaultKind, z.ZodType>;

/** What the parameters of a kind are, once they are checked. */
export type ParametersOf<Kind extends FaultKind> = z.output<(typeof SCHEMAS)[Kind]>;

/**
 * The parameters with symbols in their canonical form.
 * @throws Refusal (validation) that says what is wrong with which of them
 */
export function checkParameters<Kind extends FaultKind>(kind: Kind, given: object): ParametersOf<Kind> {
  const parsed = SCHEMAS[kind].safeParse(given);
  if (parsed.success) return parsed.data as ParametersOf<Kind>;
  const [issue] = parsed.error.issues;
  const place = (issue?.path ?? []).map(String);
  throw refuse.validation(`${[kind, ...place].join(' ')}: ${issue?.message ?? 'does not fit'}.`, [...PATH, ...place]);
}

/** What a fault is about, in one text: two that are about the same cannot last at once. */
export function targetOf(parameters: object): string {
  const {
    operations: named,
    symbols: traded,
    date,
    calendar,
  } = parameters as Partial<ParametersOf<'LATENCY'> & ParametersOf<'SPREAD'> & ParametersOf<'HOLIDAY'>>;
  if (date !== undefined) return calendar === undefined ? date : `${date},${calendar}`;
  const names = [...new Set(named ?? traded)].sort();
  return names.length === 0 ? '*' : names.join(',');
}

function canonical(text: string, context: z.core.$RefinementCtx<string>): string {
  try {
    return normaliseSymbol(text);
  } catch (error) {
    context.addIssue({ code: 'custom', message: (error as Error).message });
    return z.NEVER;
  }
}
