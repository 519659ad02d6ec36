/** One run, from its bench to its end. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServiceParts } from '../../../platform/subgraph.ts';
import {
  ASSERTION_TYPES,
  type Assertion,
  type Definition,
  type Phase,
  readDefinition,
  servicesOf,
} from '../rules/definition.ts';
import type { Ending } from '../rules/lifecycles.ts';
import { deadlineMs, scaledMs } from '../rules/timing.ts';
import type { RunStep } from '../runs/runs.ts';
import { type ActionContext, type OrderTally, perform } from './actions.ts';
import { type AssertionContext, evaluate, type Finding } from './assertions.ts';
import { expectationsOf, validateAtAudit } from './audit.ts';
import { benchIds, openBench } from './bench.ts';
import { clearBench } from './clear-up.ts';
import { Desk, messageOf } from './desk.ts';
import { Disturbances } from './disturbances.ts';
import { Engine, type EngineEvents } from './engine.ts';
import { type Hold, HoldLost } from './hold.ts';
import type { TargetLocks } from './locks.ts';
import { type Probe, probe } from './probes.ts';

/** Leases are renewed, and people's wishes looked for, so often. */
const BEAT_MS = 1_000;

/** Something that is to come is looked for so often. */
const LOOK_MS = 200;

/** Rollback is given up after this (domain.md §7.3). */
const ROLLBACK_WITHIN_MS = 600_000; // 10 minutes

/** Why a run ends before its phases do. */
class Stopped extends Error {
  readonly ending: Ending;

  constructor(ending: Ending, message: string) {
    super(message);
    this.ending = ending;
  }
}

export interface ExecutionParts {
  parts: Pick<ServiceParts, 'db' | 'graph' | 'feed' | 'now' | 'log'>;
  hold: Hold;
  locks: TargetLocks;
}

interface Step {
  phase: Phase;
  index: number;
  actions: RunStep[];
  assertions: RunStep[];
}

export class Execution {
  private readonly parts: ExecutionParts['parts'];
  private readonly hold: Hold;
  private readonly locks: TargetLocks;
  private readonly desk: Desk;
  private readonly disturbances: Disturbances;
  private readonly stopping = new AbortController();
  private readonly orders: OrderTally = { placed: 0, refused: 0, ms: 0 };
  private readonly timeScale: number;
  private probes: Probe[] = [];
  private engine: Engine | null = null;
  private isRollingBack = false;

  constructor({ parts, hold, locks }: ExecutionParts) {
    this.parts = parts;
    this.hold = hold;
    this.locks = locks;
    this.timeScale = Number(hold.run.timeScale);
    this.desk = new Desk(parts.graph, hold.run.traceId);
    this.disturbances = new Disturbances(parts.db, hold, this.desk);
  }

  /** Lets go of the run at once, as a process does that is killed: another takes it over. */
  abandon(): void {
    this.stopping.abort(new HoldLost('the process ends'));
  }

  /** Carries the run out, rolls it back, and ends it. */
  async run(): Promise<void> {
    const read = readDefinition(this.hold.run.configurationSnapshot);
    if ('problems' in read) return this.hold.end('error', read.problems.join('; '));
    const { definition } = read;
    const done = new AbortController();
    const beating = this.beat(done.signal, definition);
    try {
      const ending = await this.phases(definition).catch((error: unknown) => this.endingOf(error));
      await this.finish(definition, ending);
    } finally {
      done.abort();
      await beating;
    }
  }

  /** Rolls a run back whose process is gone, and ends it as ERROR. */
  async rescue(): Promise<void> {
    const read = readDefinition(this.hold.run.configurationSnapshot);
    const done = new AbortController();
    const definition = 'definition' in read ? read.definition : null;
    const beating = this.beat(done.signal, definition);
    try {
      await this.hold.log('warn', 'whoever carried the run out is gone: it is rolled back', { kind: 'rescue' });
      await this.finish(definition, { ending: 'error', error: 'Whoever carried it out is gone.' });
    } finally {
      done.abort();
      await beating;
    }
  }

  private endingOf(error: unknown): { ending: Ending; error: string } {
    const cause = this.stopping.signal.aborted ? this.stopping.signal.reason : error;
    if (cause instanceof HoldLost) throw cause;
    if (cause instanceof Stopped) return { ending: cause.ending, error: cause.message };
    this.parts.log.warn({ err: cause, runId: this.hold.runId }, 'a test run went wrong');
    return { ending: 'error', error: messageOf(cause) };
  }

  /** Renews what is held while the run goes on, and sees that it does not take too long. */
  private async beat(done: AbortSignal, definition: Definition | null): Promise<void> {
    const { run } = this.hold;
    const endsAt = Date.parse(run.startedAt as string) + Number(run.timeoutMs);
    const services = definition ? servicesOf(definition) : [];
    for (;;) {
      await sleep(BEAT_MS, undefined, { signal: done }).catch(() => undefined);
      if (done.aborted || this.stopping.signal.reason instanceof HoldLost) return;
      try {
        const { stopRequestedAt, stopReason } = await this.hold.renew();
        if (stopRequestedAt !== null) this.stop(new Stopped('cancelled', stopReason ?? 'It was stopped.'));
        if (Date.now() > endsAt) this.stop(new Stopped('timeout', `It took longer than ${run.timeoutMs} ms.`));
        if (!run.dryRun) {
          await this.locks.renew(run.runId, run.targets);
          if (!this.isRollingBack) {
            await this.disturbances.keepUp();
            this.probes.push(...(await Promise.all(services.map((service) => probe(this.desk, service)))));
          }
        }
      } catch (error) {
        if (error instanceof HoldLost) this.stopping.abort(error);
        else
          this.parts.log.warn(
            { err: error, runId: run.runId },
            'the lease of a test run could not be renewed; it will be',
          );
      }
    }
  }

  private stop(reason: Stopped): void {
    if (!this.stopping.signal.aborted && !this.isRollingBack) this.stopping.abort(reason);
  }

  /** The phases in order. A phase that fails is the last. */
  private async phases(definition: Definition): Promise<{ ending: Ending; error: string | null }> {
    const { dryRun } = this.hold.run;
    const steps = definition.phases.map(
      (phase, index): Step => ({
        phase,
        index,
        actions: phase.actions.map(({ action }) => ({ name: action, status: 'pending', detail: null })),
        assertions: phase.assertions.map(({ name }) => ({ name, status: 'pending', detail: null })),
      }),
    );
    await this.hold.log('info', 'the run begins', { kind: 'start', dryRun, timeScale: this.timeScale });
    await this.hold.phases(
      steps.map(({ phase, actions, assertions }) => ({
        name: phase.name,
        plannedMs: scaledMs(phase.durationSeconds, this.timeScale),
        actions,
        assertions,
      })),
    );
    if (!dryRun && definition.bench) {
      const { bench } = definition;
      const prices = await openBench(this.desk, bench, this.hold.runId);
      this.engine = new Engine({ desk: this.desk, hold: this.hold, bench, prices });
      await this.hold.log('info', 'the bench is set up', { kind: 'bench', ...benchIds(this.hold.runId) });
    }
    const failures: string[] = [];
    for (const step of steps) {
      const error = await this.phase(step, definition);
      if (error === null) continue;
      failures.push(`${step.phase.name}: ${error}`);
      if (definition.rollbackOnFailure) break;
    }
    return failures.length === 0 ? { ending: 'passed', error: null } : { ending: 'failed', error: failures.join('; ') };
  }

  private async phase(step: Step, definition: Definition): Promise<string | null> {
    const { phase, index, actions, assertions } = step;
    const { signal } = this.stopping;
    const startedAt = Date.now();
    this.probes = [];
    await this.hold.beginPhase(index, phase.name);
    const faults = this.hold.run.dryRun ? this.skip(step) : await this.actions(step);
    const planned = scaledMs(phase.durationSeconds, this.timeScale);
    if (faults.length === 0 && !this.hold.run.dryRun) {
      for (const [i, assertion] of phase.assertions.entries()) {
        const fault = await this.assertion(assertion, assertions[i] as RunStep, phase.name, definition);
        if (fault !== null) faults.push(fault);
        await this.hold.stepPhase(index, step);
      }
    }
    if (faults.length === 0) {
      await sleep(Math.max(startedAt + planned - Date.now(), 0), undefined, { signal }).catch(() => undefined);
    }
    signal.throwIfAborted();
    await this.snapshot(phase.name, definition);
    const error = faults.length === 0 ? null : faults.join('; ');
    await this.hold.stepPhase(index, { actions, assertions }, { error });
    return error;
  }

  /** A dry run goes through everything and does nothing. */
  private skip({ actions, assertions }: Step): string[] {
    for (const one of [...actions, ...assertions]) one.status = 'skipped';
    return [];
  }

  private async actions({ phase, actions, index, assertions }: Step): Promise<string[]> {
    const context: ActionContext = {
      desk: this.desk,
      ids: benchIds(this.hold.runId),
      disturbances: this.disturbances,
      timeScale: this.timeScale,
      signal: this.stopping.signal,
      orders: this.orders,
    };
    const faults: string[] = [];
    const carryOut = async (i: number) => {
      const action = phase.actions[i] as Phase['actions'][number];
      const own = actions[i] as RunStep;
      try {
        own.detail = await perform(action, context);
        own.status = 'done';
      } catch (error) {
        this.stopping.signal.throwIfAborted();
        if (error instanceof HoldLost) throw error;
        own.status = 'failed';
        own.detail = messageOf(error);
        if (!action.continueOnFailure) faults.push(`${action.action}: ${own.detail}`);
      }
      await this.hold.log(own.status === 'done' ? 'info' : 'error', `${action.action}: ${own.detail ?? own.status}`, {
        kind: 'action',
        phase: phase.name,
      });
      await this.hold.stepPhase(index, { actions, assertions });
    };
    const all = phase.actions.map((_, i) => i);
    if (phase.isParallel) await Promise.all(all.map(carryOut));
    else for (const i of all) if (faults.length === 0) await carryOut(i);
    return faults;
  }

  /** Looks until it holds or its time is over, records what was found, and gives what is wrong. */
  private async assertion(
    assertion: Assertion,
    own: RunStep,
    phase: string,
    definition: Definition,
  ): Promise<string | null> {
    const { lastAt } = this.disturbances;
    const deadline = assertion.withinSeconds === undefined ? null : deadlineMs(assertion.withinSeconds, this.timeScale);
    const from = lastAt ?? Date.now();
    const until = deadline === null ? 0 : Math.max(from, Date.now()) + deadline;
    let finding: Finding | null = null;
    let problem: string | null = null;
    do {
      this.stopping.signal.throwIfAborted();
      [finding, problem] = await evaluate(assertion, this.asserting(definition)).then(
        (found): [Finding, null] => [found, null],
        (error: unknown): [null, string] => {
          if (error instanceof HoldLost) throw error;
          return [null, messageOf(error)];
        },
      );
      if (finding?.holds || finding?.isSkipped) break;
      if (Date.now() < until) await sleep(LOOK_MS, undefined, { signal: this.stopping.signal }).catch(() => undefined);
    } while (Date.now() < until);
    const at = new Date(finding?.at ?? Date.now());
    const delay = assertion.detection && finding?.holds ? Math.max(at.getTime() - from, 0) : null;
    const isLate = delay !== null && deadline !== null && delay > deadline;
    own.status =
      finding === null ? 'error' : finding.isSkipped ? 'skipped' : finding.holds && !isLate ? 'passed' : 'failed';
    own.detail = finding?.actual ?? problem;
    await this.hold.result({
      phase,
      name: assertion.name,
      type: ASSERTION_TYPES[assertion.name],
      expected: finding?.expected ?? assertion.name,
      actual: finding?.actual ?? 'it could not be looked at',
      status: own.status,
      at,
      delayMs: delay,
      deadlineMs: assertion.detection ? deadline : null,
      error: problem,
    });
    return own.status === 'passed' || own.status === 'skipped' ? null : `${assertion.name}: ${own.detail}`;
  }

  private asserting(definition: Definition): AssertionContext {
    const nothing: EngineEvents = { haltedAt: null, reducedAt: null, arbitrageAt: null };
    return {
      desk: this.desk,
      ids: benchIds(this.hold.runId),
      bench: definition.bench,
      disturbances: this.disturbances,
      orders: this.orders,
      engine: this.engine?.events ?? nothing,
      probes: this.probes,
      targets: servicesOf(definition),
      expectations: expectationsOf(this.hold.run, definition),
    };
  }

  private async snapshot(phase: string, definition: Definition): Promise<void> {
    if (this.hold.run.dryRun) {
      await this.hold.snapshot(phase, {}, {});
      return;
    }
    const found = await Promise.all(servicesOf(definition).map((service) => probe(this.desk, service)));
    const services = Object.fromEntries(found.map(({ service, status }) => [service, status]));
    const responseMs = Object.fromEntries(found.map(({ service, ms }) => [service, ms]));
    await this.hold.snapshot(phase, services, { responseMs, orders: this.orders, ...this.engine?.events });
  }

  /** Sets everything right, and ends the run whatever came of it. */
  private async finish(
    definition: Definition | null,
    { ending, error }: { ending: Ending; error: string | null },
  ): Promise<void> {
    this.isRollingBack = true;
    const problems: string[] = [];
    if (!this.hold.run.dryRun) {
      await this.hold.rollback('running');
      await this.engine?.stop();
      const clearing = this.rollback(definition).then((found) => void problems.push(...found));
      const timer = new AbortController();
      await Promise.race([
        clearing,
        sleep(ROLLBACK_WITHIN_MS, undefined, { signal: timer.signal })
          .then(() => void problems.push('it took too long'))
          .catch(() => undefined),
      ]);
      timer.abort();
    }
    await this.hold.log(problems.length === 0 ? 'info' : 'error', 'everything is set right', {
      kind: 'rollback',
      problems,
    });
    await this.hold.rollback(problems.length === 0 ? 'completed' : 'failed');
    await this.hold.end(
      ending,
      [error, ...problems.map((problem) => `rollback: ${problem}`)].filter(Boolean).join('; ') || null,
    );
    await this.locks.release(this.hold.runId, this.hold.run.targets);
  }

  private async rollback(definition: Definition | null): Promise<string[]> {
    const problems = await this.disturbances.clearAll();
    await this.closeValidation(definition);
    if (definition?.bench) problems.push(...(await clearBench(this.desk, definition.bench, this.hold.runId)));
    return problems;
  }

  /** The audit judges finally what it has seen of the run; it may be away, or not there. */
  private async closeValidation(definition: Definition | null): Promise<void> {
    if (definition === null) return;
    const expectations = expectationsOf(this.hold.run, definition);
    if (expectations.expected.length === 0) return;
    await validateAtAudit(this.desk, { ...expectations, endedAt: this.parts.now().toISOString() }).catch(
      (error: unknown) => this.hold.log('warn', `the audit has not judged the run: ${messageOf(error)}`),
    );
  }
}
