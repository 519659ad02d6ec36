/**
 * Carries out the runs that wait, rescues those whose process is gone, and starts scenarios that are due. Every process of
 * the domain has a runner; a run is in the hands of one.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { command } from '../../../platform/command.ts';
import { sql } from '../../../platform/database/sql.ts';
import { dec } from '../../../platform/decimal.ts';
import type { Listener } from '../../../platform/feed/hub.ts';
import type { ServiceParts } from '../../../platform/subgraph.ts';
import type { Context } from '../context.ts';
import { nextRun } from '../rules/schedule.ts';
import { createRun } from '../runs/run-commands.ts';
import { Execution } from './execution.ts';
import { HoldLost, IS_ORPHANED, IS_WAITING, takeRun } from './hold.ts';
import type { TargetLocks } from './locks.ts';

/** New runs are heard of by the feed; orphans and schedules are looked for. */
const LOOK_MS = 2_000; // 2 seconds

/** A run of which a stop was asked before anybody took it. */
const IS_GIVEN_UP = sql`status = 'pending' and stop_requested_at is not null`;

export class Runner {
  readonly runnerId = crypto.randomUUID();
  private readonly parts: ServiceParts;
  private readonly locks: TargetLocks;
  private readonly stopping = new AbortController();
  private readonly executions = new Map<Execution, Promise<void>>();
  private readonly listener: Listener;
  private wake = Promise.withResolvers<void>();
  private readonly running: Promise<void>;

  constructor(parts: ServiceParts, locks: TargetLocks) {
    this.parts = parts;
    this.locks = locks;
    this.listener = {
      relation: 'test_runs',
      offer: () => this.wake.resolve(),
      settle: () => undefined,
      reset: () => this.wake.resolve(),
      beat: () => undefined,
    };
    parts.feed.hub.attach(this.listener);
    this.running = this.work();
  }

  /** Lets go of every run as a process does that is killed; another takes them over when their leases run out. */
  async stop(): Promise<void> {
    this.parts.feed.hub.detach(this.listener);
    this.stopping.abort();
    this.wake.resolve();
    for (const execution of this.executions.keys()) execution.abandon();
    await Promise.all([this.running, ...this.executions.values()]);
  }

  private async work(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      this.wake = Promise.withResolvers();
      try {
        await this.look();
      } catch (error) {
        this.parts.log.debug({ err: error }, 'test runs could not be looked for; they will be');
      }
      if (signal.aborted) return;
      const timer = new AbortController();
      await Promise.race([
        this.wake.promise,
        sleep(LOOK_MS, undefined, { signal: timer.signal }).catch(() => undefined),
      ]);
      timer.abort();
    }
  }

  private async look(): Promise<void> {
    if (!(await this.isAnythingDue())) return;
    await this.giveUp();
    await this.startDue();
    for (const fits of [IS_WAITING, IS_ORPHANED]) {
      for (;;) {
        if (this.stopping.signal.aborted) return;
        const taken = await takeRun(this.parts, this.runnerId, fits);
        if (!taken) break;
        const execution = new Execution({ parts: this.parts, hold: taken.hold, locks: this.locks });
        const work = taken.wasRunning ? execution.rescue() : execution.run();
        const done = work
          .catch((error: unknown) => {
            if (error instanceof HoldLost) return;
            this.parts.log.warn(
              { err: error, runId: taken.hold.runId },
              'a test run was let go; it will be taken over',
            );
          })
          .finally(() => this.executions.delete(execution));
        this.executions.set(execution, done);
      }
    }
  }

  /** In one statement, since most of the time nothing is. */
  private async isAnythingDue(): Promise<boolean> {
    const due = await this.parts.db.one(sql`
      select 1 as due from test_runs where (${IS_GIVEN_UP}) or (${IS_WAITING}) or (${IS_ORPHANED})
      union all
      select 1 from scenarios where next_run_at <= ${this.parts.now()}::timestamptz and status = 'active' limit 1`);
    return due !== null;
  }

  /** Ends runs that were stopped before they began. */
  private async giveUp(): Promise<void> {
    const rows = await this.parts.db.query<{ runId: string; targets: string[] }>(sql`
      update test_runs set status = 'cancelled', exit_code = 130, completed_at = now(), rollback_status = 'completed',
             error_message = coalesce(stop_reason, 'It was stopped.') where ${IS_GIVEN_UP} returning run_id, targets`);
    for (const { runId, targets } of rows) await this.locks.release(runId, targets);
  }

  /** Starts scenarios whose time has come; where one cannot be started, its next time is waited for. */
  private async startDue(): Promise<void> {
    const due = await this.parts.db.query<{ scenarioId: string; schedule: string }>(sql`
      select scenario_id, schedule from scenarios
       where next_run_at <= ${this.parts.now()}::timestamptz and status = 'active' order by next_run_at limit 10`);
    for (const { scenarioId, schedule } of due) await this.startScheduled(scenarioId, schedule);
  }

  private async startScheduled(scenarioId: string, schedule: string): Promise<void> {
    const context = this.parts.context() as Context;
    const now = context.now();
    const claimed = await this.parts.db.query<object>(sql`
      update scenarios set next_run_at = ${nextRun(schedule, now)}::timestamptz
       where scenario_id = ${scenarioId} and next_run_at <= ${now}::timestamptz returning scenario_id`);
    if (claimed.length === 0) return;
    const runId = crypto.randomUUID();
    const asked = {
      scenarioId,
      overrides: null,
      dryRun: false,
      timeScale: dec(1),
      testEnvironment: null,
      requestedBy: 'schedule',
    };
    const { locks } = this;
    let locked: readonly string[] = [];
    const onLocked = (targets: readonly string[]) => {
      locked = targets;
    };
    const { errors } = await command(context, 'startScheduledRun', {}, async (tx) => {
      await createRun(tx, { runId, asked, locks, traceId: context.traceId, onLocked });
      return {};
    });
    if (errors.length === 0) return;
    await locks.release(runId, locked);
    this.parts.log.warn({ scenarioId, reason: errors[0]?.message }, 'a scheduled scenario was not started');
  }
}
