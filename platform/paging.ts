/**
 * Relay connections by keyset: a page starts after the (sort value, id) of its cursor, so that rows which come and go
 * neither repeat nor hide others. Child connections of many parents cost one statement.
 */
import { createHash } from 'node:crypto';
import { DEFAULT_TTL_MS, type Family } from './cache/family.ts';
import type { Database } from './database/database.ts';
import { databaseFault } from './database/database-error.ts';
import { camelCase } from './database/rows.ts';
import { allOf, empty, identifier, raw, type Sql, sql } from './database/sql.ts';
import { badInput } from './errors.ts';
import { type KeyType, keyArray, type Loaders } from './loaders.ts';

/** In a condition: other rows decide beside the row itself. */
const SUBQUERY = /\bselect\b/i;

/** Items a page at most. */
export const PAGE_LIMIT = 500;
const DEFAULT_PAGE = 50;

/** How the rows of a list belong to a parent: its key's type, and the condition where it is not plain equality. */
export interface ParentColumn {
  type: KeyType;
  /** @default the column equals the key */
  matches?: (key: Sql) => Sql;
}

export interface ConnectionSource<Row> {
  /** A table or view. */
  table: string;
  /** Of a view: the captured table with which every change of the view's rows comes. @default the table itself */
  capturedAs?: string;
  /** Unique column that breaks ties. */
  id: string;
  /** Columns of the sort enum's values; each must be NOT NULL. The first is the default. */
  sorts: Record<string, string>;
  /** Columns by which `connectChildren` may find rows. */
  parents?: Record<string, KeyType | ParentColumn>;
  readonly row?: Row;
}

export interface ConnectionArgs {
  first?: number | null | undefined;
  after?: string | null | undefined;
  sortBy?: string | null | undefined;
  sortOrder?: string | null | undefined;
}

export interface Connection<Row> {
  edges: { cursor: string; node: Row }[];
  nodes: Row[];
  pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; startCursor: string | null; endCursor: string | null };
  /** Counts the whole list when it is asked for. */
  totalCount: () => Promise<number>;
}

/** A list that clients page through. */
export function connectionSource<Row>(declaration: Omit<ConnectionSource<Row>, 'row'>): ConnectionSource<Row> {
  return declaration;
}

/** How many items a plain list gives: 1 to a page's most. Throws BAD_USER_INPUT otherwise. */
export function listLimit(limit: number): number {
  if (limit >= 1 && limit <= PAGE_LIMIT) return limit;
  throw badInput(`limit must be from 1 to ${PAGE_LIMIT}, but got ${limit}.`, ['limit']);
}

interface Page {
  first: number;
  column: string;
  descending: boolean;
  sortName: string;
  after: { value: string; id: string } | null;
}

/** The page of the whole list that `where` leaves. Throws BAD_USER_INPUT on a bad `first` or a foreign cursor. */
export async function connect<Row>(
  db: Database,
  source: ConnectionSource<Row>,
  args: ConnectionArgs,
  where: readonly Sql[] = [],
): Promise<Connection<Row>> {
  const page = readPage(source, args);
  const from = sql`from ${identifier(source.table)} where ${allOf(where)}`;
  const rows = await guardCursor(page, () => db.query<Row>(sql`select * ${from} ${pageClause(source, page)}`));
  return toConnection(source, page, rows, async () => {
    const counted = await db.one<{ count: number }>(sql`select count(*)::int as count ${from}`);
    return counted?.count ?? 0;
  });
}

/**
 * The first page of a list that is at hand whole, in its default order.
 * @throws BAD_USER_INPUT on a bad `first`
 */
export function knownPage<Row>(
  source: ConnectionSource<Row>,
  args: Pick<ConnectionArgs, 'first'>,
  rows: readonly Row[],
): Connection<Row> {
  const page = readPage(source, args);
  return toConnection(source, page, rows.slice(0, page.first + 1), async () => rows.length);
}

/** The same page of each parent's list; parents asked in one tick with equal arguments share a statement. */
export async function connectChildren<Row>(
  db: Database,
  loaders: Loaders,
  source: ConnectionSource<Row>,
  parentColumn: string,
  parent: string,
  args: ConnectionArgs,
  where: readonly Sql[] = [],
): Promise<Connection<Row>> {
  const page = readPage(source, args);
  const condition = allOf(where);
  const declared = source.parents?.[parentColumn];
  if (!declared) throw new Error(`${source.table} declares no parent column "${parentColumn}"`);
  const { type, matches } = typeof declared === 'string' ? { type: declared, matches: undefined } : declared;
  const belongs = matches?.(raw('keys.parent')) ?? sql`${identifier(parentColumn)} = keys.parent`;
  const name = JSON.stringify([source.table, parentColumn, page, condition.text, condition.values]);
  const family = <Value>(kind: string): Family<Value> => ({
    name: `${kind}:${source.table}:${createHash('sha1').update(name).digest('base64url')}`,
    table: source.capturedAs ?? source.table,
    // A list that is chosen by more than equality, or by rows of other tables, has no column that the feed could name.
    column: matches || SUBQUERY.test(condition.text) ? '' : camelCase(parentColumn),
    ttlMs: DEFAULT_TTL_MS,
  });

  const readRows = async (keys: readonly string[]) => {
    const rows = await guardCursor(page, () =>
      db.query<Row & { loaderKey: string }>(
        sql`select keys.parent::text as loader_key, children.*
              from unnest(${keyArray(type, keys)}) as keys(parent)
             cross join lateral (
               select * from ${identifier(source.table)} where ${belongs} and ${condition} ${pageClause(source, page)}
             ) as children
             ${orderClause(source, page)}`,
      ),
    );
    const byParent = Map.groupBy(rows, (row) => row.loaderKey);
    return keys.map((key) => byParent.get(key) ?? []);
  };

  const count = async (keys: readonly string[]) => {
    const rows = await db.query<{ loaderKey: string; count: number }>(
      sql`select keys.parent::text as loader_key,
                 (select count(*)::int from ${identifier(source.table)} where ${belongs} and ${condition}) as count
            from unnest(${keyArray(type, keys)}) as keys(parent)`,
    );
    const byParent = new Map(rows.map((row) => [row.loaderKey, row.count]));
    return keys.map((key) => byParent.get(key) ?? 0);
  };

  const rows = await loaders.byKey<Row[]>(family('page'), type, [], readRows).load(parent);
  return toConnection(source, page, rows, () => loaders.byKey(family<number>('count'), type, 0, count).load(parent));
}

function readPage<Row>(source: ConnectionSource<Row>, args: ConnectionArgs): Page {
  const first = args.first ?? DEFAULT_PAGE;
  if (first < 0 || first > PAGE_LIMIT)
    throw badInput(`first must be from 0 to ${PAGE_LIMIT}, but got ${first}.`, ['first']);
  const sortName = args.sortBy ?? Object.keys(source.sorts)[0];
  const column = sortName === undefined ? undefined : source.sorts[sortName];
  if (sortName === undefined || column === undefined)
    throw new Error(`${source.table} cannot be sorted by ${sortName}`);
  const descending = (args.sortOrder ?? 'DESC') === 'DESC';
  const after = typeof args.after === 'string' ? readCursor(args.after, sortName) : null;
  return { first, column, descending, sortName, after };
}

/** The keyset condition, the order and one row more than the page, which tells whether another page follows. */
function pageClause<Row>(source: ConnectionSource<Row>, page: Page): Sql {
  const column = identifier(page.column);
  const id = identifier(source.id);
  const comparison = page.descending ? raw('<') : raw('>');
  const keyset = page.after ? sql`and (${column}, ${id}) ${comparison} (${page.after.value}, ${page.after.id})` : empty;
  return sql`${keyset} ${orderClause(source, page)} limit ${page.first + 1}`;
}

function orderClause<Row>(source: ConnectionSource<Row>, page: Page): Sql {
  const direction = page.descending ? raw('desc') : raw('asc');
  return sql`order by ${identifier(page.column)} ${direction}, ${identifier(source.id)} ${direction}`;
}

function toConnection<Row>(
  source: ConnectionSource<Row>,
  page: Page,
  rows: Row[],
  totalCount: () => Promise<number>,
): Connection<Row> {
  const nodes = rows.slice(0, page.first);
  const cursorOf = (node: Row) => writeCursor(source, page, node);
  const cursorAt = (index: number) => {
    const node = nodes.at(index);
    return node === undefined ? null : cursorOf(node);
  };
  return {
    // Most who ask want the nodes alone: a cursor is made when it is looked at.
    get edges() {
      return nodes.map((node) => ({ cursor: cursorOf(node), node }));
    },
    nodes,
    pageInfo: {
      hasNextPage: rows.length > page.first,
      hasPreviousPage: page.after !== null,
      get startCursor() {
        return cursorAt(0);
      },
      get endCursor() {
        return cursorAt(-1);
      },
    },
    totalCount,
  };
}

function writeCursor<Row>(source: ConnectionSource<Row>, page: Page, row: Row): string {
  const values = row as Record<string, unknown>;
  const position = [page.sortName, String(values[camelCase(page.column)]), String(values[camelCase(source.id)])];
  return Buffer.from(JSON.stringify(position)).toString('base64url');
}

function readCursor(cursor: string, sortName: string): { value: string; id: string } {
  const [name, value, id] = decodeCursor(cursor);
  if (typeof value !== 'string' || typeof id !== 'string') throw foreignCursor();
  if (name !== sortName) {
    throw badInput(`after is a cursor of the list sorted by ${name}, but this one is sorted by ${sortName}.`, [
      'after',
    ]);
  }
  return { value, id };
}

function decodeCursor(cursor: string): unknown[] {
  try {
    const decoded: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    if (Array.isArray(decoded)) return decoded;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw foreignCursor();
}

function foreignCursor() {
  return badInput('after must be a cursor that this list gave out (endCursor of a page).', ['after']);
}

const DATA_EXCEPTION = '22'; // SQLSTATE class: the text of a forged cursor is no value of the column

async function guardCursor<Rows>(page: Page, read: () => Promise<Rows>): Promise<Rows> {
  try {
    return await read();
  } catch (error) {
    if (page.after && databaseFault(error)?.code.startsWith(DATA_EXCEPTION)) throw foreignCursor();
    throw error;
  }
}
