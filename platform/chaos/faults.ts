/** The commands and the reads of a domain's faults. None of them ever suffers from a fault itself. */
import { randomUUID } from 'node:crypto';
import { type CommandPayload, command } from '../command.ts';
import type { SubgraphContext } from '../context.ts';
import { allOf, type Sql, sql } from '../database/sql.ts';
import { refuse, type UserError } from '../errors.ts';
import { boundedText, storableJson } from '../texts.ts';
import { FAULT_COLUMNS, type Fault, type FaultRow, shownFault } from './fault.ts';
import { type FaultKind, honouredBy } from './kinds.ts';
import { checkParameters, targetOf } from './parameters.ts';

export interface InjectFaultInput {
  faultId?: string | null | undefined;
  kind: FaultKind;
  parameters?: Record<string, unknown> | null | undefined;
  runId?: string | null | undefined;
  /** @default LEASE_SECONDS */
  leaseSeconds?: number;
  reason?: string | null | undefined;
  injectedBy?: string | null | undefined;
}

export interface RenewFaultsInput {
  runId: string;
  /** @default LEASE_SECONDS */
  leaseSeconds?: number;
}

export interface ClearFaultsInput {
  runId?: string | null | undefined;
  faultId?: string | null | undefined;
}

export interface FaultPayload {
  fault: Fault | null;
  readToken: string | null;
  errors: UserError[];
}

export interface FaultsPayload {
  faults: Fault[];
  readToken: string | null;
  errors: UserError[];
}

interface Statements {
  $queryRaw<Rows>(statement: Sql): Promise<Rows>;
}

type Context = SubgraphContext<unknown>;

const LIST_LIMIT = 500;
const LEASE_SECONDS = 15;
const LEASE_LIMIT_SECONDS = 3_600; // an hour
const FAULT_ID_LENGTH = 100;
const NAME_LENGTH = 255;
const REASON_LENGTH = 2_000;

/** The domain's faults, the latest first. */
export async function listFaults(
  { db, domain, now }: Context,
  { activeOnly, runId }: { activeOnly: boolean; runId?: string | null | undefined },
): Promise<Fault[]> {
  const at = now();
  const where = [
    ...(activeOnly ? [sql`status = 'ACTIVE' and expires_at > ${at.toISOString()}::timestamptz`] : []),
    ...(runId == null ? [] : [sql`run_id = ${runId}`]),
  ];
  const rows = await db.query<FaultRow>(
    sql`select ${FAULT_COLUMNS} from injected_faults where ${allOf(where)}
         order by injected_at desc, fault_id desc limit ${LIST_LIMIT}`,
  );
  return rows.map((row) => shownFault(domain, row, at));
}

/**
 * Makes the domain suffer a fault. Refused where chaos is off, where the domain does not honour the kind, and while a
 * fault of the same kind about the same lasts.
 */
export async function injectFault(context: Context, input: InjectFaultInput): Promise<FaultPayload> {
  const payload = await command(context, 'injectFault', input, async (tx) => {
    const fault = checkFault(context, input);
    const statements = tx as Statements;
    const at = context.now().toISOString();
    await statements.$queryRaw(
      sql`update injected_faults set status = 'EXPIRED', cleared_at = expires_at
           where status = 'ACTIVE' and expires_at <= ${at}::timestamptz`,
    );
    const inserted = await statements.$queryRaw<unknown[]>(sql`
      insert into injected_faults (fault_id, kind, target, parameters, run_id, reason, injected_by, injected_at, expires_at,
                                   trace_id)
      values (${fault.faultId}, ${fault.kind}, ${fault.target}, ${JSON.stringify(fault.parameters)}::jsonb, ${fault.runId},
              ${fault.reason}, ${fault.injectedBy}, ${at}::timestamptz,
              ${at}::timestamptz + ${fault.leaseSeconds} * interval '1 second', ${context.traceId})
      on conflict do nothing returning fault_id`);
    if (inserted.length === 0) throw await conflictOf(statements, fault);
    return { faultIds: [fault.faultId] };
  });
  const { faults, readToken, errors } = await shown(context, payload);
  return { fault: faults[0] ?? null, readToken, errors };
}

/** Makes the faults of a run last longer; those whose lease has run out have ended. */
export async function renewFaults(context: Context, input: RenewFaultsInput): Promise<FaultsPayload> {
  const payload = await command(context, 'renewFaults', input, async (tx) => {
    const runId = boundedText(input.runId, NAME_LENGTH, ['input', 'runId']);
    const leaseSeconds = checkLease(input.leaseSeconds);
    const at = context.now().toISOString();
    return idsOf(
      await (tx as Statements).$queryRaw<{ fault_id: string }[]>(sql`
        update injected_faults set expires_at = ${at}::timestamptz + ${leaseSeconds} * interval '1 second'
         where run_id = ${runId} and status = 'ACTIVE' and expires_at > ${at}::timestamptz returning fault_id`),
    );
  });
  return shown(context, payload);
}

/** Ends the faults of a run, or one. Also where chaos is off. */
export async function clearFaults(context: Context, input: ClearFaultsInput): Promise<FaultsPayload> {
  const payload = await command(context, 'clearFaults', input, async (tx) => {
    const { runId, faultId } = input;
    if ((runId == null) === (faultId == null)) throw refuse.validation('Give either runId or faultId.', ['input']);
    const which = runId == null ? sql`fault_id = ${faultId}` : sql`run_id = ${runId}`;
    const at = context.now().toISOString();
    return idsOf(
      await (tx as Statements).$queryRaw<{ fault_id: string }[]>(sql`
        update injected_faults set status = 'CLEARED', cleared_at = ${at}::timestamptz, trace_id = ${context.traceId}
         where ${which} and status = 'ACTIVE' returning fault_id`),
    );
  });
  return shown(context, payload);
}

function checkFault({ domain, faults }: Context, input: InjectFaultInput) {
  if (!faults.isEnabled) {
    throw refuse.validation(`Chaos is off: the ${domain} domain takes no faults unless it runs with CHAOS=on.`);
  }
  const honoured = honouredBy(domain);
  if (!honoured.includes(input.kind)) {
    const message = `The ${domain} domain does not honour ${input.kind}, only ${honoured.join(', ')}.`;
    throw refuse.validation(message, ['input', 'kind']);
  }
  const parameters = checkParameters(input.kind, storableJson(input.parameters ?? {}, ['input', 'parameters']));
  return {
    faultId: optionalText(input, 'faultId', FAULT_ID_LENGTH) ?? randomUUID(),
    kind: input.kind,
    parameters,
    target: targetOf(parameters),
    runId: optionalText(input, 'runId', NAME_LENGTH),
    reason: optionalText(input, 'reason', REASON_LENGTH),
    injectedBy: optionalText(input, 'injectedBy', NAME_LENGTH),
    leaseSeconds: checkLease(input.leaseSeconds),
  };
}

function checkLease(seconds = LEASE_SECONDS): number {
  if (seconds >= 1 && seconds <= LEASE_LIMIT_SECONDS) return seconds;
  const message = `leaseSeconds must lie between 1 and ${LEASE_LIMIT_SECONDS}, but got ${seconds}.`;
  throw refuse.validation(message, ['input', 'leaseSeconds']);
}

function optionalText<Name extends string>(input: Partial<Record<Name, unknown>>, name: Name, longest: number) {
  const text = input[name];
  return typeof text === 'string' ? boundedText(text, longest, ['input', name]) : null;
}

async function conflictOf(
  tx: Statements,
  { faultId, kind, target }: { faultId: string; kind: FaultKind; target: string },
) {
  const [known] = await tx.$queryRaw<unknown[]>(sql`select from injected_faults where fault_id = ${faultId}`);
  if (known) return refuse.conflict(null, `There is a fault with id "${faultId}" already.`, ['input', 'faultId']);
  const about = target === '*' ? '' : ` about ${target}`;
  return refuse.conflict(null, `A ${kind}${about} lasts already: clear it first.`, ['input', 'kind']);
}

const idsOf = (rows: readonly { fault_id: string }[]) => ({ faultIds: rows.map((row) => row.fault_id) });

/** The faults as they are now, once they are honoured in this process. */
async function shown(
  { db, domain, faults, now }: Context,
  { faultIds = [], readToken = null, errors }: CommandPayload<{ faultIds: string[] }>,
): Promise<FaultsPayload> {
  const rows =
    faultIds.length === 0
      ? []
      : await db.query<FaultRow>(
          sql`select ${FAULT_COLUMNS} from injected_faults where fault_id = any(${faultIds}) order by injected_at, fault_id`,
        );
  if (rows.length > 0) await faults.refresh();
  return { faults: rows.map((row) => shownFault(domain, row, now())), readToken, errors };
}
