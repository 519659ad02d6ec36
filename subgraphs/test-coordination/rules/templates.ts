/** Templates: configurations with places for typed parameters. */
import { dec } from '../../../platform/decimal.ts';
import { refuse } from '../../../platform/errors.ts';
import { normaliseSymbol } from '../../../platform/symbols.ts';

export type ParameterType = 'string' | 'integer' | 'decimal' | 'boolean' | 'symbol';
export type ParameterValue = string | number | boolean;

export interface TemplateParameter {
  type: ParameterType;
  description: string;
  /** Without one it must be given. */
  default?: ParameterValue;
  min?: string;
  max?: string;
}

export interface Template {
  templateId: string;
  name: string;
  description: string;
  type:
    | 'service_restart'
    | 'network_partition'
    | 'network_latency'
    | 'resource_exhaustion'
    | 'data_corruption'
    | 'combined';
  category: 'market' | 'trading' | 'risk' | 'operational' | 'settlement';
  tags: readonly string[];
  expectedOutcomes: readonly string[];
  parameters: Readonly<Record<string, TemplateParameter>>;
  /** A text that is `{{name}}` becomes the value itself, one that holds it the text with the value in it. */
  configuration: object;
}

const STRING_LENGTH = 255;
const PLACE = /\{\{(\w+)\}\}/g;

/**
 * The configuration with the values put in.
 * @throws Refusal (validation) on a value that is missing, unknown, not of its type, or beyond its bounds
 */
export function render(
  template: Pick<Template, 'parameters' | 'configuration'>,
  given: object = {},
): Record<string, unknown> {
  const unknown = Object.keys(given).find((key) => !Object.hasOwn(template.parameters, key));
  if (unknown !== undefined) {
    const known = Object.keys(template.parameters).join(', ');
    throw refuse.validation(`There is no parameter "${unknown}"; there are ${known}.`, [
      'input',
      'parameters',
      unknown,
    ]);
  }
  const values = new Map(
    Object.entries(template.parameters).map(([name, parameter]) => [
      name,
      parameterValue(name, parameter, (given as Record<string, unknown>)[name]),
    ]),
  );
  return fill(template.configuration, values) as Record<string, unknown>;
}

function parameterValue(name: string, parameter: TemplateParameter, given: unknown): ParameterValue {
  const value = given ?? parameter.default;
  const path = ['input', 'parameters', name];
  if (value === undefined) throw refuse.validation(`${name} must be given.`, path);
  const read = readValue(parameter.type, value, path);
  if (read === null)
    throw refuse.validation(`${name} must be ${WORDS[parameter.type]}, but got ${JSON.stringify(value)}.`, path);
  checkBounds(name, parameter, read, path);
  return read;
}

const WORDS: Record<ParameterType, string> = {
  string: `a text of 1 to ${STRING_LENGTH} characters`,
  integer: 'a whole number',
  decimal: 'an exact decimal as text',
  boolean: 'true or false',
  symbol: 'a symbol such as "BTC-USD"',
};

function readValue(type: ParameterType, value: unknown, path: string[]): ParameterValue | null {
  switch (type) {
    case 'integer':
      return Number.isSafeInteger(value) ? (value as number) : null;
    case 'boolean':
      return typeof value === 'boolean' ? value : null;
    case 'decimal':
      return typeof value === 'string' && /^-?\d{1,16}(\.\d{1,8})?$/.test(value) ? value : null;
    case 'symbol':
      return typeof value === 'string' ? normaliseSymbol(value, path) : null;
    case 'string':
      return typeof value === 'string' && value.length >= 1 && value.length <= STRING_LENGTH ? value : null;
  }
}

function checkBounds(name: string, { type, min, max }: TemplateParameter, value: ParameterValue, path: string[]): void {
  if (type !== 'integer' && type !== 'decimal') return;
  const number = dec(String(value));
  if ((min === undefined || number.gte(min)) && (max === undefined || number.lte(max))) return;
  const bounds = [...(min === undefined ? [] : [`at least ${min}`]), ...(max === undefined ? [] : [`at most ${max}`])];
  throw refuse.validation(`${name} must be ${bounds.join(' and ')}, but got ${number.toFixed()}.`, path);
}

function fill(part: unknown, values: ReadonlyMap<string, ParameterValue>): unknown {
  if (typeof part === 'string') return fillText(part, values);
  if (Array.isArray(part)) return part.map((inner) => fill(inner, values));
  if (part === null || typeof part !== 'object') return part;
  return Object.fromEntries(Object.entries(part).map(([key, inner]) => [key, fill(inner, values)]));
}

function fillText(text: string, values: ReadonlyMap<string, ParameterValue>): unknown {
  const whole = /^\{\{(\w+)\}\}$/.exec(text)?.[1];
  if (whole !== undefined) return values.get(whole);
  return text.replace(PLACE, (_, name: string) => String(values.get(name)));
}
