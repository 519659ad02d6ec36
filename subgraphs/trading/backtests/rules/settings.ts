/** What a backtest may be set to, and what its strategies take. */
import { type Decimal, dec, toWire } from '../../../../platform/decimal.ts';
import { refuse } from '../../../../platform/errors.ts';
import { BAR_MS, type BarInterval } from './bars.ts';

export type BacktestType = 'trend_following' | 'mean_reversion' | 'momentum';

/** A strategy's parameters as they are kept: every one of its kind, decimals as text. */
export type Parameters = Record<string, number | string | boolean>;

interface Whole {
  kind: 'whole';
  default: number;
  least: number;
  most: number;
}

interface Amount {
  kind: 'amount';
  default: string;
  least: string;
  most: string;
}

interface Flag {
  kind: 'flag';
  default: boolean;
}

/** Bars that a strategy looks back on at most. */
const LOOKBACK_LIMIT = 1_000;

const period = (bars: number): Whole => ({ kind: 'whole', default: bars, least: 2, most: LOOKBACK_LIMIT });
const amount = (value: string, least: string, most: string): Amount => ({
  kind: 'amount',
  default: value,
  least,
  most,
});

/** Of every kind: whether it sells short, and which part of its equity a position takes. */
const COMMON = { allowShort: { kind: 'flag', default: false } as Flag, allocation: amount('1', '0.01', '1') };

export const PARAMETERS: Record<BacktestType, Record<string, Whole | Amount | Flag>> = {
  trend_following: { fastPeriod: period(10), slowPeriod: period(30), ...COMMON },
  mean_reversion: { period: period(20), entryZ: amount('2', '0.1', '10'), exitZ: amount('0.5', '0', '10'), ...COMMON },
  momentum: { entryPeriod: period(20), exitPeriod: period(10), ...COMMON },
};

/** The kind of a strategy as a backtest knows it, or null when it knows none like it. */
export function backtestType(type: string): BacktestType | null {
  return type in PARAMETERS ? (type as BacktestType) : null;
}

/**
 * The parameters of the kind: those given, and the defaults of the others.
 * @param isStrict whether a name that the kind does not know is refused; a strategy's own settings may hold more
 * @throws Refusal (validation) saying which is wrong
 */
export function readParameters(
  type: BacktestType,
  given: Record<string, unknown>,
  { isStrict = true } = {},
): Parameters {
  const known = PARAMETERS[type];
  const unknown = Object.keys(given).find((name) => !Object.hasOwn(known, name));
  if (isStrict && unknown !== undefined) {
    const names = Object.keys(known).join(', ');
    throw refuse.validation(`parameters of ${type.toUpperCase()} are ${names}, but got "${unknown}".`, PATH);
  }
  const read = Object.entries(known).map(([name, rule]) => [name, readOne(name, rule, given[name])]);
  const parameters = Object.fromEntries(read) as Parameters;
  if (type === 'trend_following' && Number(parameters.fastPeriod) >= Number(parameters.slowPeriod)) {
    throw refuse.validation('parameters.fastPeriod must be shorter than slowPeriod.', PATH);
  }
  if (type === 'mean_reversion' && dec(String(parameters.exitZ)).gte(String(parameters.entryZ))) {
    throw refuse.validation('parameters.exitZ must be below entryZ.', PATH);
  }
  return parameters;
}

const PATH = ['input', 'parameters'];

function readOne(name: string, rule: Whole | Amount | Flag, given: unknown): number | string | boolean {
  if (given === undefined || given === null) return rule.default;
  if (rule.kind === 'flag') {
    if (typeof given === 'boolean') return given;
    throw refuse.validation(`parameters.${name} must be true or false, but got ${JSON.stringify(given)}.`, PATH);
  }
  const isWhole = rule.kind === 'whole';
  if (isWhole ? isBetween(given, rule) : typeof given === 'string' && isAmount(given, rule)) {
    return isWhole ? (given as number) : toWire(given as string);
  }
  const form = isWhole ? 'a whole number' : 'a decimal as text, with at most 8 fractional digits,';
  const bounds = `from ${rule.least} to ${rule.most}`;
  throw refuse.validation(`parameters.${name} must be ${form} ${bounds}, but got ${JSON.stringify(given)}.`, PATH);
}

function isBetween(given: unknown, { least, most }: Whole): boolean {
  return Number.isInteger(given) && (given as number) >= least && (given as number) <= most;
}

function isAmount(given: string, { least, most }: Amount): boolean {
  return /^\d{1,4}(\.\d{1,8})?$/.test(given) && dec(given).gte(least) && dec(given).lte(most);
}

export const SYMBOLS_LIMIT = 10;

/** Bars of all symbols that a run may cover: a minute or so of work. */
export const BARS_LIMIT = 200_000;

const FEE_LIMIT = dec('0.1');
const SLIPPAGE_LIMIT = dec('1000');

/** Passes when the window is one, and not too long. Throws a validation Refusal otherwise. */
export function checkBars(from: string, to: string, interval: BarInterval, symbolCount: number): void {
  const length = Date.parse(to) - Date.parse(from);
  if (length <= 0) throw refuse.validation('from must be before to.', ['input', 'from']);
  const bars = Math.ceil(length / BAR_MS[interval]) * symbolCount;
  if (bars <= BARS_LIMIT) return;
  throw refuse.validation(
    `The window holds ${bars} bars of ${symbolCount} symbols, and a run covers at most ${BARS_LIMIT}. Shorten it, or take longer bars.`,
    ['input', 'from'],
  );
}

/** A fee as a fraction of what is traded, from 0 to 0.1. Throws a validation Refusal otherwise. */
export function feeRate(text: string): Decimal {
  return within(text, FEE_LIMIT, 'feeRate');
}

/** Slippage in basis points, from 0 to 1000. Throws a validation Refusal otherwise. */
export function slippage(text: string): Decimal {
  return within(text, SLIPPAGE_LIMIT, 'slippageBps');
}

function within(text: string, most: Decimal, field: string): Decimal {
  const value = dec(text);
  if (value.gte(0) && value.lte(most)) return value;
  throw refuse.validation(`${field} must be from 0 to ${toWire(most)}, but got ${text}.`, ['input', field]);
}
