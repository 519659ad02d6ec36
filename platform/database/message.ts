/**
 * Statements that go to PostgreSQL in one message and come back in one answer. A statement of its own costs a write, a
 * wait and a turn of the process each; together they cost little more than one. The first that fails ends the message:
 * those behind it are not carried out.
 */
import pg from 'pg';
import { parameter } from './parameter.ts';

export interface Statement {
  text: string;
  values: readonly unknown[];
  /** PostgreSQL keeps what it has parsed and planned under this name, a connection long; it stands for one text. */
  name?: string | undefined;
  types?: pg.CustomTypesConfig | undefined;
}

/** An array of values a row, in the order of `fields`. */
export type Answer = pg.QueryArrayResult<unknown[]>;

type Parameters = (string | Buffer | null)[][];

/** What of pg's connection a message uses; it speaks PostgreSQL's protocol. */
interface Wire {
  stream: { cork(): void; uncork(): void };
  parsedStatements: Record<string, string>;
  parse(query: { text: string; name: string | undefined }): void;
  bind(config: { statement: string | undefined; values: readonly (string | Buffer | null)[] }): void;
  describe(portal: { type: 'P'; name: string }): void;
  execute(portal: { rows: number }): void;
  close(statement: { type: 'S'; name: string }): void;
  sync(): void;
}

type ArrayResult = Answer & {
  addFields(fields: unknown): void;
  parseRow(fields: unknown): unknown[];
  addRow(row: unknown[]): void;
  addCommandComplete(message: unknown): void;
};
const Result = (pg as unknown as { Result: new (rowMode: 'array', types?: pg.CustomTypesConfig) => ArrayResult })
  .Result;

/** Sends the statements; gives an answer for each. Throws what PostgreSQL says to the first that fails. */
export function send(client: pg.ClientBase, statements: readonly Statement[]): Promise<Answer[]> {
  return new Promise((resolve, reject) => {
    const message = new Message(statements, (error, answers) => (error ? reject(error) : resolve(answers)));
    client.query(message as unknown as pg.Submittable);
  });
}

/** How many statements go with a call of a client's `query`. */
export function sizeOf(query: unknown): number {
  return query instanceof Message ? query.statements.length : 1;
}

/**
 * PostgreSQL makes a plan anew when a table has changed, but not with other columns in its answer: it refuses that once and
 * for all. From then on the statements go by other names.
 */
const STALE_PLAN = /cached plan must not change result type/;
let generation = 0;

/** Whether the statement would succeed when asked again. */
export function isStalePlan(error: unknown): boolean {
  return error instanceof Error && STALE_PLAN.test(error.message);
}

/** The statements that a connection may or may not have parsed under these names: a message ended at one of them. */
const doubtful = new WeakMap<Wire, Set<string>>();

/** As pg's client calls it; see pg-cursor for another of the kind. */
class Message {
  readonly statements: readonly Statement[];
  readonly callback: (error: Error | null, answers: Answer[]) => void;
  private readonly answers: Answer[] = [];
  private result: ArrayResult;
  private isOver = false;

  constructor(statements: readonly Statement[], callback: Message['callback']) {
    this.statements = statements.map((statement) =>
      statement.name === undefined ? statement : { ...statement, name: `${statement.name} ${generation}` },
    );
    this.callback = callback;
    this.result = this.nextResult();
  }

  submit(wire: Wire): null {
    const bound: Parameters = this.statements.map(({ values }) => values.map(parameter));
    wire.stream.cork();
    try {
      for (const [i, { text, name }] of this.statements.entries()) {
        if (name === undefined || wire.parsedStatements[name] !== text) this.parse(wire, text, name);
        wire.bind({ statement: name, values: bound[i] as Parameters[number] });
        wire.describe({ type: 'P', name: '' });
        wire.execute({ rows: 0 });
      }
    } finally {
      wire.sync();
      wire.stream.uncork();
    }
    return null;
  }

  /** A name that stands for something else, or may stand for this already, is given up first. */
  private parse(wire: Wire, text: string, name: string | undefined): void {
    if (name !== undefined && (name in wire.parsedStatements || doubtful.get(wire)?.delete(name))) {
      wire.close({ type: 'S', name });
    }
    wire.parse({ text, name });
    if (name !== undefined) wire.parsedStatements[name] = text;
  }

  handleRowDescription({ fields }: { fields: unknown }): void {
    this.result.addFields(fields);
  }

  handleDataRow({ fields }: { fields: unknown }): void {
    this.result.addRow(this.result.parseRow(fields));
  }

  handleCommandComplete(message: unknown): void {
    this.result.addCommandComplete(message);
    this.answers.push(this.result);
    this.result = this.nextResult();
  }

  handleError(error: Error, wire: Wire): void {
    if (isStalePlan(error)) generation++;
    const names = doubtful.get(wire) ?? new Set();
    doubtful.set(wire, names);
    for (const { name } of this.statements.slice(this.answers.length)) {
      if (name === undefined) continue;
      delete wire.parsedStatements[name];
      names.add(name);
    }
    this.end(error);
  }

  handleReadyForQuery(): void {
    this.end(null);
  }

  private end(error: Error | null): void {
    if (this.isOver) return;
    this.isOver = true;
    this.callback(error, this.answers);
  }

  private nextResult(): ArrayResult {
    return new Result('array', this.statements[this.answers.length]?.types);
  }
}
