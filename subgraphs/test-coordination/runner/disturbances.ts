/**
 * What a run disturbs in the domains: faults and market scenarios. Each has a row before it is made, so that any process can
 * take it back.
 */
import { STRUCK_DOMAINS, type StruckDomain } from '../../../platform/chaos/kinds.ts';
import { isUnreachable } from '../../../platform/database/database-error.ts';
import { sql } from '../../../platform/database/sql.ts';
import { pascalCaseOf } from '../../../platform/domains.ts';
import type { ServiceParts } from '../../../platform/subgraph.ts';
import type { ChaosEventRow } from '../chaos/chaos-events.ts';
import { actionOf, kindOf, typeOf } from '../rules/chaos.ts';
import type { Action } from '../rules/definition.ts';
import { BY } from './bench.ts';
import { type Desk, isAway, messageOf, persist, Refused } from './desk.ts';
import { type Hold, HoldLost } from './hold.ts';
import { isWell } from './probes.ts';

/** Faults end by themselves when nobody renews them for so long. */
export const FAULT_LEASE_SECONDS = 15;

/** A domain that is not well again within this has not recovered. */
const RECOVERS_WITHIN_MS = 30_000; // 30 seconds

type MarketScenarioAction = Extract<Action, { action: 'start_market_scenario' }>;

/** A gradual market scenario builds up over a quarter of its minutes, of which it has one at least. */
const LEAST_GRADUAL_MS = 240_000; // 4 minutes

export class Disturbances {
  /** When something was last disturbed: what is to be detected is measured from here. */
  lastAt: number | null = null;
  private readonly db: ServiceParts['db'];
  private readonly hold: Hold;
  private readonly desk: Desk;

  constructor(db: ServiceParts['db'], hold: Hold, desk: Desk) {
    this.db = db;
    this.hold = hold;
    this.desk = desk;
  }

  async injectFault(
    domain: StruckDomain,
    kind: Parameters<typeof typeOf>[0],
    parameters: Record<string, unknown>,
  ): Promise<void> {
    await this.make(await this.announce(typeOf(kind), actionOf(kind), domain, parameters));
  }

  async startMarketScenario(action: MarketScenarioAction, timeScale: number): Promise<void> {
    const { type, symbols, deviation, durationSeconds } = action;
    const plannedMs = (durationSeconds * 1_000) / timeScale;
    const isGradual = type === 'STABLECOIN_DEPEG' || (action.isGradual && plannedMs >= LEAST_GRADUAL_MS);
    const parameters = { type, symbols, deviation, isGradual, durationMinutes: minutesOf(type, plannedMs) };
    await this.make(await this.announce('market_scenario', type.toLowerCase(), 'market-data', parameters));
  }

  /** Stores what is about to be done. */
  private async announce(
    eventType: string,
    action: string,
    target: string,
    parameters: object,
  ): Promise<ChaosEventRow> {
    const { runId, run } = this.hold;
    return this.hold.write(async (tx) => {
      const [row] = await tx.query<ChaosEventRow>(sql`
        insert into chaos_events (run_id, event_type, action, target_service, parameters, trace_id)
        values (${runId}, ${eventType}, ${action}, ${target}, ${JSON.stringify(parameters)}::jsonb, ${run.traceId})
        returning *`);
      return row as ChaosEventRow;
    });
  }

  /** Does what an event says. */
  private async make(event: ChaosEventRow): Promise<void> {
    const { eventId, targetService, action } = event;
    const serviceId = await this.serviceOf(targetService);
    try {
      const externalId =
        event.eventType === 'market_scenario' ? await this.draft(event) : `${this.hold.runId}:${eventId}`.slice(-100);
      const at = new Date();
      await this.hold.write((tx) =>
        tx.query(sql`
          update chaos_events set status = 'injected', external_id = ${externalId}, service_id = ${serviceId},
                 injected_at = ${at}::timestamptz where event_id = ${eventId}`),
      );
      this.lastAt = at.getTime();
      await this.start(event, externalId);
      await this.hold.log('info', `${action} of ${targetService} is injected`, {
        kind: 'chaos',
        eventId,
        action,
        targetService,
      });
    } catch (error) {
      if (error instanceof HoldLost || isUnreachable(error)) throw error;
      await this.end(eventId, 'failed', null, messageOf(error));
      throw error;
    }
  }

  private async draft({ parameters }: ChaosEventRow): Promise<string> {
    const { scenario } = await this.desk.send(
      'createMarketScenario',
      { ...parameters, name: `Test run ${this.hold.runId}`.slice(0, 200), recoveryFactor: '0.1', createdBy: BY },
      'scenario { scenarioId }',
    );
    return scenario.scenarioId;
  }

  private async start({ eventType, targetService, parameters }: ChaosEventRow, externalId: string): Promise<void> {
    const kind = kindOf(eventType);
    if (kind === null) {
      await this.desk.send('startMarketScenario', { scenarioId: externalId });
      return;
    }
    const { durationSeconds: _, ...own } = parameters;
    await this.desk.send(
      `inject${pascalCaseOf(targetService)}Fault`,
      {
        faultId: externalId,
        kind,
        parameters: own,
        runId: this.hold.runId,
        leaseSeconds: FAULT_LEASE_SECONDS,
        reason: `Test run ${this.hold.runId}`,
        injectedBy: BY,
      },
      '',
      'InjectFaultInput',
    );
  }

  private async serviceOf(name: string): Promise<string | null> {
    const found = await this.desk
      .ask('query ($name: String!) { services(name: $name) { serviceId } }', { name })
      .catch((error: unknown) => {
        if (isAway(error)) return { services: [] };
        throw error;
      });
    return found.services?.[0]?.serviceId ?? null;
  }

  /** Makes what a person has asked for, takes back what is to be taken back, and lets the rest last longer. */
  async keepUp(): Promise<void> {
    const events = await this.events();
    const active = events.filter(({ status }) => status === 'injected' || status === 'in_progress');
    for (const domain of new Set(active.filter(isFault).map(({ targetService }) => targetService))) {
      await this.desk
        .send(
          `renew${pascalCaseOf(domain)}Faults`,
          { runId: this.hold.runId, leaseSeconds: FAULT_LEASE_SECONDS },
          '',
          'RenewFaultsInput',
        )
        .catch((error: unknown) => this.hold.log('warn', `faults of ${domain} were not renewed: ${messageOf(error)}`));
    }
    const fresh = active.filter(({ status }) => status === 'injected').map(({ eventId }) => eventId);
    if (fresh.length > 0) {
      await this.hold.write((tx) =>
        tx.query(
          sql`update chaos_events set status = 'in_progress' where event_id = any(${fresh}::text[]) and status = 'injected'`,
        ),
      );
    }
    for (const event of events.filter(
      ({ status, clearRequestedAt }) => status === 'pending' && clearRequestedAt === null,
    )) {
      // What this process makes itself is announced and made in one go; what waits longer, a person has asked for.
      if (Date.now() - Date.parse(event.createdAt) > 200 && event.traceId !== this.hold.run.traceId) {
        await this.make(event).catch((error: unknown) => this.hold.log('warn', messageOf(error)));
      }
    }
    for (const event of active.filter(isDue)) await this.takeBack(event);
  }

  /** Takes back the faults of a domain, or the market scenarios. */
  async clear(target: string | 'market_scenario'): Promise<void> {
    for (const event of await this.events()) {
      const fits = target === 'market_scenario' ? !isFault(event) : isFault(event) && event.targetService === target;
      if (fits && (event.status === 'injected' || event.status === 'in_progress')) await this.takeBack(event);
    }
  }

  /** Takes everything back, whoever made it. Gives what could not be. */
  async clearAll(): Promise<string[]> {
    const problems: string[] = [];
    const clear = (domain: StruckDomain) =>
      persist(
        () => this.desk.send(`clear${pascalCaseOf(domain)}Faults`, { runId: this.hold.runId }, '', 'ClearFaultsInput'),
        { withinMs: RECOVERS_WITHIN_MS },
      );
    await Promise.all(
      STRUCK_DOMAINS.map((domain) =>
        clear(domain).catch((error: unknown) => problems.push(`faults of ${domain}: ${messageOf(error)}`)),
      ),
    );
    for (const event of await this.events()) {
      if (event.status === 'pending') await this.end(event.eventId, 'failed', null, 'The run was over before.');
      else if (event.status === 'injected' || event.status === 'in_progress') await this.takeBack(event);
    }
    return problems;
  }

  private async takeBack(event: ChaosEventRow): Promise<void> {
    const { eventId, externalId, targetService, action } = event;
    const at = Date.now();
    try {
      await persist(() => this.undo(event, externalId as string), { withinMs: RECOVERS_WITHIN_MS });
      await persist(async () => ((await isWell(this.desk, targetService)) ? true : null), {
        withinMs: RECOVERS_WITHIN_MS,
      });
      await this.end(eventId, 'recovered', at, null);
      await this.hold.log('info', `${targetService} has recovered from ${action} after ${Date.now() - at} ms`, {
        kind: 'recovery',
        eventId,
        targetService,
      });
    } catch (error) {
      if (error instanceof HoldLost || isUnreachable(error)) throw error;
      await this.end(eventId, 'failed', at, messageOf(error));
      await this.hold.log('error', `${targetService} has not recovered from ${action}: ${messageOf(error)}`, {
        eventId,
      });
    }
  }

  private async undo(event: ChaosEventRow, externalId: string): Promise<true> {
    if (isFault(event)) {
      await this.desk.send(
        `clear${pascalCaseOf(event.targetService)}Faults`,
        { faultId: externalId },
        '',
        'ClearFaultsInput',
      );
      return true;
    }
    const over = (error: unknown) => {
      if (!(error instanceof Refused) || !['INVALID_TRANSITION', 'NOT_FOUND'].includes(error.code)) throw error;
    };
    await this.desk.send('stopMarketScenario', { scenarioId: externalId, reason: 'The test is over.' }).catch(over);
    return true;
  }

  /** @param since when it was taken back; null where it was never made */
  private async end(
    eventId: string,
    status: 'recovered' | 'failed',
    since: number | null,
    error: string | null,
  ): Promise<void> {
    const cleared = since === null ? null : new Date(since);
    const recovery = status === 'recovered' && since !== null ? Date.now() - since : null;
    await this.hold.write((tx) =>
      tx.query(sql`
        update chaos_events
           set status = ${status}, cleared_at = greatest(${cleared}::timestamptz, injected_at), recovery_time_ms = ${recovery},
               error = ${error?.slice(0, 2_000) ?? null},
               duration_ms = round(extract(epoch from greatest(${cleared}::timestamptz, injected_at) - injected_at) * 1000)
         where event_id = ${eventId}`),
    );
  }

  events(): Promise<ChaosEventRow[]> {
    return this.db.query<ChaosEventRow>(
      sql`select * from chaos_events where run_id = ${this.hold.runId} order by created_at, event_id`,
    );
  }
}

function isFault({ eventType }: ChaosEventRow): boolean {
  return eventType !== 'market_scenario';
}

function isDue({ clearRequestedAt, parameters, injectedAt }: ChaosEventRow): boolean {
  if (clearRequestedAt !== null) return true;
  const { durationSeconds } = parameters;
  if (typeof durationSeconds !== 'number' || injectedAt === null) return false;
  return Date.now() >= Date.parse(injectedAt) + durationSeconds * 1_000;
}

/** Whole minutes, within what the type may take with its recovery. */
function minutesOf(type: MarketScenarioAction['type'], plannedMs: number): number {
  const most = type === 'PRICE_SHOCK' ? 100 : type === 'STABLECOIN_DEPEG' ? 3_900 : 2_600;
  return Math.min(Math.max(Math.round(plannedMs / 60_000), 1), most);
}
