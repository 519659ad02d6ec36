/** Disturbances that a person asks for beside those of a scenario. The run's runner makes them and takes them back. */
import { type CommandPayload, command } from '../../../platform/command.ts';
import { sql } from '../../../platform/database/sql.ts';
import { stored } from '../../../platform/enums.ts';
import { refuse } from '../../../platform/errors.ts';
import { storableJson } from '../../../platform/texts.ts';
import type { Context } from '../context.ts';
import type { ClearChaosInput, InjectChaosInput } from '../generated/resolvers.ts';
import { actionOf, checkInjectable, kindOf } from '../rules/chaos.ts';
import { type EventStatus, moveEvent } from '../rules/lifecycles.ts';
import { lockRun } from '../runs/run-commands.ts';

export type ChaosPayload = CommandPayload<{ eventId: string }>;

const LONGEST_SECONDS = 3_600;

export function injectChaos(context: Context, input: InjectChaosInput): Promise<ChaosPayload> {
  return command(context, 'injectChaos', input, async (tx) => {
    const { runId, targetService, durationSeconds } = input;
    const eventType = stored(input.type);
    checkInjectable(eventType, targetService);
    if (durationSeconds != null && !(durationSeconds > 0 && durationSeconds <= LONGEST_SECONDS)) {
      throw refuse.validation(
        `durationSeconds must be above 0 and at most ${LONGEST_SECONDS}, but got ${durationSeconds}.`,
        ['input', 'durationSeconds'],
      );
    }
    const status = await lockRun(tx, runId);
    if (status !== 'running') {
      throw refuse.validation(`Only a RUNNING run is disturbed; this one is ${status.toUpperCase()}.`, [
        'input',
        'runId',
      ]);
    }
    const run = await tx.testRun.findUniqueOrThrow({ where: { runId }, select: { dryRun: true } });
    if (run.dryRun) throw refuse.validation('A dry run disturbs nothing.', ['input', 'runId']);
    const active = await tx.chaosEvent.findFirst({
      where: { targetService, eventType, status: { in: ['pending', 'injected', 'in_progress'] } },
    });
    if (active) throw refuse.conflict(null, `Event "${active.eventId}" disturbs ${targetService} so already.`);
    const kind = kindOf(eventType);
    const parameters = storableJson(input.parameters ?? {}, ['input', 'parameters']);
    const { eventId } = await tx.chaosEvent.create({
      data: {
        runId,
        eventType,
        action: kind === null ? 'bend_prices' : actionOf(kind),
        targetService,
        parameters: { ...parameters, ...(durationSeconds != null && { durationSeconds }) },
        traceId: context.traceId,
      },
      select: { eventId: true },
    });
    return { eventId };
  });
}

export function clearChaos(context: Context, input: ClearChaosInput): Promise<ChaosPayload> {
  return command(context, 'clearChaos', input, async (tx) => {
    const { eventId } = input;
    const [event] = await tx.$queryRaw<{ status: EventStatus }[]>(
      sql`select status from chaos_events where event_id = ${eventId} for no key update`,
    );
    if (!event) throw refuse.notFound('ChaosEvent', eventId, ['input', 'eventId']);
    if (event.status === 'recovered' || event.status === 'failed') moveEvent(event.status, 'recovered');
    await tx.$executeRaw(sql`
      update chaos_events set clear_requested_at = coalesce(clear_requested_at, ${context.now()}::timestamptz)
       where event_id = ${eventId}`);
    return { eventId };
  });
}
