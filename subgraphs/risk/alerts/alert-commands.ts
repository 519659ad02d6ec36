/** What people do with alerts. */
import { type CommandPayload, command } from '../../../platform/command.ts';
import { sql } from '../../../platform/database/sql.ts';
import { stored } from '../../../platform/enums.ts';
import { refuse } from '../../../platform/errors.ts';
import { boundedText } from '../../../platform/texts.ts';
import { isUuid } from '../../../platform/uuid.ts';
import { type Context, statementsOf, type Tx } from '../context.ts';
import type {
  AcknowledgeAlertInput,
  EscalateAlertInput,
  ExpireAlertsInput,
  RaiseAlertInput,
  ResolveAlertInput,
} from '../generated/resolvers.ts';
import { actor, scopeOf } from '../references.ts';
import { checkStep, HIGHEST_LEVEL } from '../rules/alert-lifecycle.ts';
import { escalate, expireOver, type LockedAlert, raise } from './raising.ts';

export type AlertPayload = CommandPayload<{ alertId: string }>;
export type RaisedPayload = CommandPayload<{ alertId: string; isNew: boolean }>;
export type ExpiredPayload = CommandPayload<{ expiredCount: number }>;

const NAME_LENGTH = 255;
const TEXT_LENGTH = 2_000;

/** Raises an alert, or counts it. */
export function raiseAlert(context: Context, input: RaiseAlertInput): Promise<RaisedPayload> {
  return command(context, 'raiseAlert', input, async (tx) => {
    const scope = scopeOf(input.scope, ['input', 'scope']);
    const metricName = boundedText(input.metricName, NAME_LENGTH, ['input', 'metricName']);
    const place = [metricName, ...Object.values(scope).map((part) => part ?? '')].join('|');
    const dedupKey = input.dedupKey ? boundedText(input.dedupKey, NAME_LENGTH, ['input', 'dedupKey']) : place;
    const now = context.now();
    if (input.expiresAt && Date.parse(input.expiresAt) <= now.getTime()) {
      throw refuse.validation('expiresAt must be in the future.', ['input', 'expiresAt']);
    }
    return raise(
      statementsOf(tx),
      {
        ...scope,
        severity: stored(input.severity),
        metricName,
        message: boundedText(input.message, TEXT_LENGTH, ['input', 'message']),
        currentValue: input.currentValue ?? null,
        thresholdValue: input.thresholdValue ?? null,
        limitId: null,
        breachId: null,
        dedupKey: `raised:${dedupKey}`,
        expiresAt: input.expiresAt ?? null,
        traceId: context.traceId,
      },
      now,
    );
  });
}

/** Somebody has taken the alert up: it does not escalate any more. */
export function acknowledgeAlert(context: Context, input: AcknowledgeAlertInput): Promise<AlertPayload> {
  return command(context, 'acknowledgeAlert', input, async (tx) => {
    const by = actor(input.by);
    const { alertId, status } = await lockAlert(tx, input.alertId);
    checkStep(status, 'acknowledged');
    const now = context.now();
    await tx.$executeRaw(
      sql`update risk_alerts set status = 'acknowledged', acknowledged_by = ${by},
                 acknowledged_at = greatest(${now}::timestamptz, triggered_at) where alert_id = ${alertId}::uuid`,
    );
    await tx.$executeRaw(
      sql`update alert_escalations set acked_at = greatest(${now}::timestamptz, sent_at)
           where alert_id = ${alertId}::uuid and acked_at is null`,
    );
    return { alertId };
  });
}

/** Ends an alert by hand. Refused while its breach lasts. */
export function resolveAlert(context: Context, input: ResolveAlertInput): Promise<AlertPayload> {
  return command(context, 'resolveAlert', input, async (tx) => {
    const by = actor(input.by);
    const note = input.note ? boundedText(input.note, TEXT_LENGTH, ['input', 'note']) : null;
    const { alertId, status, breachId } = await lockAlert(tx, input.alertId);
    checkStep(status, 'resolved');
    if (breachId !== null) await checkEnded(tx, breachId);
    await tx.$executeRaw(
      sql`update risk_alerts set status = 'resolved', resolved_by = ${by}, resolution_note = ${note},
                 resolved_at = greatest(${context.now()}::timestamptz, triggered_at, acknowledged_at)
           where alert_id = ${alertId}::uuid`,
    );
    return { alertId };
  });
}

/** Takes an alert one level up at once. */
export function escalateAlert(context: Context, input: EscalateAlertInput): Promise<AlertPayload> {
  return command(context, 'escalateAlert', input, async (tx) => {
    const by = actor(input.by);
    const { alertId, status, severity, escalationLevel } = await lockAlert(tx, input.alertId);
    if (status !== 'active') {
      throw refuse.validation(`Only an ACTIVE alert escalates; this one is ${status.toUpperCase()}.`, [
        'input',
        'alertId',
      ]);
    }
    if (escalationLevel >= HIGHEST_LEVEL) {
      throw refuse.validation(`The alert is at level ${HIGHEST_LEVEL}, the highest.`, ['input', 'alertId']);
    }
    await escalate(statementsOf(tx), { alertId, severity, level: escalationLevel + 1, by }, context.now());
    return { alertId };
  });
}

/** Ends the alerts whose time is over. */
export function expireAlerts(context: Context, input: ExpireAlertsInput): Promise<ExpiredPayload> {
  return command(context, 'expireAlerts', input, async (tx) => ({
    expiredCount: await expireOver(statementsOf(tx), context.now()),
  }));
}

async function lockAlert(tx: Tx, alertId: string): Promise<LockedAlert> {
  const rows = isUuid(alertId)
    ? await tx.$queryRaw<LockedAlert[]>(
        sql`select alert_id::text as "alertId", status, severity, escalation_level as "escalationLevel",
                   breach_id::text as "breachId"
              from risk_alerts where alert_id = ${alertId}::uuid for no key update`,
      )
    : [];
  if (!rows[0]) throw refuse.notFound('RiskAlert', alertId, ['input', 'alertId']);
  return rows[0];
}

/** The lock keeps the breach as it is until the alert is ended. */
async function checkEnded(tx: Tx, breachId: string): Promise<void> {
  const [breach] = await tx.$queryRaw<{ isOpen: boolean }[]>(
    sql`select ended_at is null as "isOpen" from risk_breaches where breach_id = ${breachId}::uuid for share`,
  );
  if (!breach?.isOpen) return;
  throw refuse.validation('The limit is still broken. Acknowledge the alert; it ends by itself with the breach.', [
    'input',
    'alertId',
  ]);
}
