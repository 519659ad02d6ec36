/** What of a domain can be exported and imported: whole tables, row by row. A new kind is one declaration. */
import { parseInstant } from '../instant.ts';

export interface TransferKind {
  /** Its name in commands and addresses, one in the whole graph: "trades". */
  name: string;
  table: string;
  /** Columns that identify a row. */
  key: readonly string[];
  /** The instant by which `since` and `until` choose, and rows are ordered. NOT NULL. */
  time: string;
  /** Further choices, each by equality with a column: { symbol: 'instrument_id' }. */
  filters?: Readonly<Record<string, string>>;
  /** Function that makes sure of the partitions of some instants before rows are written. */
  ensurePartitions?: string;
}

export const FORMATS = ['csv', 'json', 'parquet'] as const;

export type Format = (typeof FORMATS)[number];

export function isFormat(text: string | undefined): text is Format {
  return FORMATS.some((format) => format === text);
}

/** Which rows, and as what. */
export interface ExportRequest {
  format: Format;
  /** Only rows at or after this instant. */
  since: string | null;
  /** Only rows before this instant. */
  until: string | null;
  /** Values of the kind's filters. */
  filters: ReadonlyMap<string, string>;
}

/** What is wrong with a request, as a sentence for whoever made it. */
export class BadRequest extends Error {}

/**
 * Reads the parameters of a request.
 * @throws BadRequest naming the one that does not fit
 */
export function readExportRequest(kind: TransferKind, parameters: URLSearchParams): ExportRequest {
  const filters = new Map<string, string>();
  for (const name of new Set(parameters.keys())) {
    if (parameters.getAll(name).length > 1) throw new BadRequest(`${name} is given more than once.`);
    const value = parameters.get(name) ?? '';
    if (Object.hasOwn(kind.filters ?? {}, name)) filters.set(name, value);
    else if (!RESERVED.includes(name))
      throw new BadRequest(`${kind.name} cannot be chosen by ${name}, only by ${choicesOf(kind)}.`);
  }
  const format = parameters.get('format') ?? 'csv';
  if (!isFormat(format)) throw new BadRequest(`format must be ${FORMATS.join(', ')}, but got "${format}".`);
  const instant = (name: string) => readInstant(name, parameters.get(name));
  return { format, since: instant('since'), until: instant('until'), filters };
}

const RESERVED = ['format', 'since', 'until'];

/** "since, until, symbol" */
function choicesOf(kind: TransferKind): string {
  return ['since', 'until', ...Object.keys(kind.filters ?? {})].join(', ');
}

const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** A day is its first instant in UTC. */
function readInstant(name: string, text: string | null): string | null {
  if (text === null) return null;
  const parsed = parseInstant(DAY.test(text) ? `${text}T00:00:00Z` : text);
  if ('problem' in parsed) throw new BadRequest(`${name} ${parsed.problem}, or a day such as 2026-01-01.`);
  return parsed.instant;
}
