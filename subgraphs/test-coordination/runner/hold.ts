/**
 * A run in the hands of one process. Everything that is written of the run names the hold's token: once another process
 * has taken the run over, what this one writes is refused.
 */
import { type Sql, sql } from '../../../platform/database/sql.ts';
import { belongsTo, inTransaction, type Statements } from '../../../platform/database/transaction.ts';
import type { ServiceParts } from '../../../platform/subgraph.ts';
import { traceparentOf } from '../../../platform/trace.ts';
import type { ResultStatus } from '../results/results.ts';
import type { AssertionType } from '../rules/definition.ts';
import { type Ending, exitCodeOf } from '../rules/lifecycles.ts';
import type { Level, RollbackStatus, RunStep, TestRunRow } from '../runs/runs.ts';

/** A run whose process renews nothing for so long is taken over. */
export const LEASE_SECONDS = 15;

/** The run is in other hands by now. */
export class HoldLost extends Error {}

export interface NewResult {
  phase: string;
  name: string;
  type: AssertionType;
  expected: string;
  actual: string;
  status: ResultStatus;
  at: Date;
  delayMs?: number | null;
  deadlineMs?: number | null;
  error?: string | null;
}

const TEXT_LENGTH = 2_000;
const cut = (text: string) => text.slice(0, TEXT_LENGTH) || '-';

export class Hold {
  readonly run: TestRunRow;
  private readonly parts: Pick<ServiceParts, 'db' | 'feed' | 'now'>;

  constructor(parts: Pick<ServiceParts, 'db' | 'feed' | 'now'>, run: TestRunRow) {
    this.parts = parts;
    this.run = run;
  }

  get runId(): string {
    return this.run.runId;
  }

  /** Writes something of the run. Throws HoldLost when it is not this process's any more. */
  async write<Result>(work: (tx: Statements) => Promise<Result>): Promise<Result> {
    const { runId, fence, traceId } = this.run;
    const result = await inTransaction(this.parts.db, async (tx) => {
      await tx.query(belongsTo(traceparentOf(traceId)));
      const [held] = await tx.query<object>(
        sql`select run_id from test_runs where run_id = ${runId} and fence = ${fence}::bigint for no key update`,
      );
      if (!held) throw new HoldLost(`run ${runId} is in other hands`);
      return work(tx);
    });
    this.parts.feed.ring();
    return result;
  }

  /** Holds the run longer, and says whether it is to stop. */
  renew(): Promise<{ stopRequestedAt: string | null; stopReason: string | null }> {
    return this.write(async (tx) => {
      const [row] = await tx.query<{ stopRequestedAt: string | null; stopReason: string | null }>(sql`
        update test_runs set lease_until = now() + make_interval(secs => ${LEASE_SECONDS})
         where run_id = ${this.runId} returning stop_requested_at, stop_reason`);
      return row as { stopRequestedAt: string | null; stopReason: string | null };
    });
  }

  async log(level: Level, message: string, data: object = {}): Promise<void> {
    await this.write((tx) => insertLog(tx, this.runId, { at: this.parts.now(), level, message, data }));
  }

  async result(found: NewResult): Promise<void> {
    const { phase, name, type, expected, actual, status, at, delayMs = null, deadlineMs = null, error = null } = found;
    const level: Level = status === 'passed' || status === 'skipped' ? 'info' : 'warn';
    await this.write(async (tx) => {
      await tx.query(sql`
        insert into test_results (run_id, phase, assertion_name, assertion_type, expected_value, actual_value, status,
               verification_time, delay_ms, deadline_ms, error_details, correlation_id)
        values (${this.runId}, ${phase}, ${name}, ${type}, ${cut(expected)}, ${cut(actual)}, ${status}, ${at}::timestamptz,
                ${delayMs}, ${deadlineMs}, ${error && cut(error)}, ${this.run.traceId})`);
      const message = `${name}: ${status}, ${actual}`;
      await insertLog(tx, this.runId, {
        at,
        level,
        message,
        data: { kind: 'assertion', name, status, delayMs, deadlineMs },
      });
    });
  }

  async phases(
    phases: readonly { name: string; plannedMs: number; actions: RunStep[]; assertions: RunStep[] }[],
  ): Promise<void> {
    await this.write(async (tx) => {
      for (const [index, { name, plannedMs, actions, assertions }] of phases.entries()) {
        await tx.query(sql`
          insert into run_phases (phase_id, run_id, phase_index, name, planned_duration_ms, actions, assertions)
          values (${`${this.runId}:${index}`}, ${this.runId}, ${index}, ${name}, ${plannedMs},
                  ${JSON.stringify(actions)}::jsonb, ${JSON.stringify(assertions)}::jsonb)
          on conflict do nothing`);
      }
    });
  }

  async beginPhase(index: number, name: string): Promise<void> {
    const at = this.parts.now();
    await this.write(async (tx) => {
      await tx.query(
        sql`update run_phases set started_at = ${at}::timestamptz where phase_id = ${`${this.runId}:${index}`}`,
      );
      await tx.query(sql`update test_runs set current_phase = ${name} where run_id = ${this.runId}`);
      await insertLog(tx, this.runId, {
        at,
        level: 'info',
        message: `phase "${name}" begins`,
        data: { kind: 'phase', name },
      });
    });
  }

  async stepPhase(
    index: number,
    steps: { actions: RunStep[]; assertions: RunStep[] },
    end?: { error: string | null },
  ): Promise<void> {
    const at = this.parts.now();
    const ended = end
      ? sql`, ended_at = greatest(${at}::timestamptz, started_at), success = ${end.error === null}, error = ${end.error && cut(end.error)}`
      : sql``;
    await this.write((tx) =>
      tx.query(sql`
        update run_phases set actions = ${JSON.stringify(steps.actions)}::jsonb,
               assertions = ${JSON.stringify(steps.assertions)}::jsonb ${ended}
         where phase_id = ${`${this.runId}:${index}`}`),
    );
  }

  async snapshot(phase: string, services: object, metrics: object): Promise<void> {
    await this.write((tx) =>
      tx.query(sql`
        insert into system_snapshots (run_id, phase, taken_at, services, metrics)
        values (${this.runId}, ${phase}, ${this.parts.now()}::timestamptz, ${JSON.stringify(services)}::jsonb,
                ${JSON.stringify(metrics)}::jsonb)`),
    );
  }

  async rollback(status: RollbackStatus): Promise<void> {
    await this.write((tx) =>
      tx.query(sql`update test_runs set rollback_status = ${status} where run_id = ${this.runId}`),
    );
  }

  /** The run is over, and its hold with it. */
  async end(ending: Ending, error: string | null): Promise<void> {
    const at = this.parts.now();
    await this.write(async (tx) => {
      await insertLog(tx, this.runId, {
        at,
        level: ending === 'passed' ? 'info' : 'warn',
        message: `the run is over: ${ending.toUpperCase()}${error === null ? '' : `, ${error}`}`,
        data: { kind: 'end', status: ending },
      });
      await tx.query(sql`
        update test_runs
           set status = ${ending}, exit_code = ${exitCodeOf(ending)}, error_message = ${error && cut(error)},
               current_phase = null, completed_at = greatest(${at}::timestamptz, started_at), lease_until = null,
               duration_ms = round(extract(epoch from greatest(${at}::timestamptz, started_at) - started_at) * 1000)
         where run_id = ${this.runId}`);
    });
  }
}

interface NewLog {
  at: Date;
  level: Level;
  message: string;
  data: object;
}

function insertLog(tx: Statements, runId: string, { at, level, message, data }: NewLog): Promise<unknown> {
  return tx.query(sql`
    insert into execution_logs (run_id, sequence, logged_at, level, message, data)
    select ${runId}, coalesce(max(sequence), 0) + 1, ${at}::timestamptz, ${level}, ${cut(message)}, ${JSON.stringify(data)}::jsonb
      from execution_logs where run_id = ${runId}`);
}

/** Takes a run that fits, if there is one: nobody else has it from now on. */
export async function takeRun(
  parts: Pick<ServiceParts, 'db' | 'feed' | 'now'>,
  runnerId: string,
  fits: Sql,
): Promise<{ hold: Hold; wasRunning: boolean } | null> {
  const taken = await inTransaction(parts.db, async (tx) => {
    const [found] = await tx.query<{ runId: string; status: string; traceId: string }>(sql`
      select run_id, status, trace_id from test_runs where ${fits} order by created_at limit 1 for update skip locked`);
    if (!found) return null;
    await tx.query(belongsTo(traceparentOf(found.traceId)));
    const [run] = await tx.query<TestRunRow>(sql`
      update test_runs
         set status = 'running', started_at = coalesce(started_at, ${parts.now()}::timestamptz), runner_id = ${runnerId},
             lease_until = now() + make_interval(secs => ${LEASE_SECONDS}), fence = fence + 1
       where run_id = ${found.runId} returning *`);
    return { run: run as TestRunRow, wasRunning: found.status === 'running' };
  });
  if (!taken) return null;
  parts.feed.ring();
  return { hold: new Hold(parts, taken.run), wasRunning: taken.wasRunning };
}

export const IS_WAITING: Sql = sql`status = 'pending'`;
export const IS_ORPHANED: Sql = sql`status = 'running' and lease_until < now()`;
