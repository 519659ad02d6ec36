/** One transaction of plain SQL that knows what it will have promised once it is committed. */
import type pg from 'pg';
import type { Transaction, Write } from './history.ts';
import { lifeOf, type Table } from './tables.ts';

/** Rows are inserted and deleted under a lock of their group, so that the numbers of their lives are in order. */
const GROUPS = 64;

let lives = 0;
let texts = 0;
let marks = 0;

interface Row {
  key: string;
  version: number;
  value: string;
}

export class SqlTransaction {
  /** Stands as long as nothing takes it back. */
  private writes: Write[] = [];
  /** What was rolled back to a savepoint. */
  private readonly undone: Write[] = [];
  private savedAt = 0;
  private readonly begunAt = performance.now();
  private readonly client: pg.Client;
  private readonly table: Table;
  private readonly writer: string;
  private readonly xid: string;
  private readonly mark: string;

  private constructor(client: pg.Client, table: Table, writer: string, { xid, mark }: { xid: string; mark: string }) {
    this.client = client;
    this.table = table;
    this.writer = writer;
    this.xid = xid;
    this.mark = mark;
  }

  static async begin(client: pg.Client, table: Table, writer: string): Promise<SqlTransaction> {
    await client.query('begin');
    const mark = `${writer}-${++marks}`;
    const { rows } = await client.query<{ xid: string }>(
      'insert into history_marks (mark) values ($1) returning pg_current_xact_id()::text as xid',
      [mark],
    );
    return new SqlTransaction(client, table, writer, { xid: (rows[0] as { xid: string }).xid, mark });
  }

  /** Inserts those that are not there. */
  async insert(keys: readonly string[]): Promise<void> {
    await this.lock(keys);
    await this.run('UPSERT', this.table.insert, [keys, `${++lives}:${this.nextText()}`]);
  }

  /** Updates those that are there, and inserts all where none is. */
  async put(keys: readonly string[]): Promise<void> {
    const { update } = this.table;
    const count = update ? await this.run('UPSERT', update, [keys, this.nextText()]) : 0;
    if (count === 0) await this.insert(keys);
  }

  async remove(keys: readonly string[]): Promise<void> {
    if (!this.table.remove) return;
    await this.lock(keys);
    await this.run('DELETE', this.table.remove, [keys]);
  }

  async savepoint(): Promise<void> {
    await this.client.query('savepoint here');
    this.savedAt = this.writes.length;
  }

  async rollbackToSavepoint(): Promise<void> {
    await this.client.query('rollback to savepoint here');
    this.undone.push(...this.writes.splice(this.savedAt));
  }

  /** Commits and gives what that promises; `unknown` when the connection broke in it. */
  async commit(): Promise<Transaction[]> {
    try {
      await this.client.query('commit');
      return this.account('committed');
    } catch {
      return this.account('unknown');
    }
  }

  async rollback(): Promise<Transaction[]> {
    await this.client.query('rollback').catch(() => undefined); // without a commit nothing comes of it either way
    return this.account('rolled back');
  }

  private account(outcome: Transaction['outcome']): Transaction[] {
    const common = { topic: this.table.topic, begunAt: this.begunAt, endedAt: performance.now() };
    const stands: Transaction = { ...common, outcome, writes: this.writes, xid: this.xid, mark: this.mark };
    const isUndone: Transaction = { ...common, outcome: 'rolled back', writes: this.undone };
    return [stands, isUndone].filter(({ writes }) => writes.length > 0);
  }

  private async run(op: Write['op'], text: string, values: unknown[]): Promise<number> {
    const { rows } = await this.client.query<Row>(text, values);
    for (const row of rows) this.writes.push({ ...row, op, life: lifeOf(row.value) });
    return rows.length;
  }

  private async lock(keys: readonly string[]): Promise<void> {
    const groups = [...new Set(keys.map(groupOf))].sort((a, b) => a - b);
    for (const group of groups) await this.client.query('select pg_advisory_xact_lock($1)', [group]);
  }

  private nextText(): string {
    return `${this.writer}-${++texts}`;
  }
}

function groupOf(key: string): number {
  let sum = 0;
  for (const character of key) sum = (sum * 31 + character.charCodeAt(0)) % GROUPS;
  return sum;
}
