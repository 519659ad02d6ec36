/** Setting limits. What lets more through than before waits for a second person; limits are never deleted. */
import { type CommandPayload, command } from '../../../platform/command.ts';
import { sql } from '../../../platform/database/sql.ts';
import { dec } from '../../../platform/decimal.ts';
import { stored } from '../../../platform/enums.ts';
import { refuse } from '../../../platform/errors.ts';
import { boundedText, isSamePerson } from '../../../platform/texts.ts';
import { isUuid } from '../../../platform/uuid.ts';
import { checkVersion } from '../../../platform/versions.ts';
import type { Context, Tx } from '../context.ts';
import type {
  ApproveLimitChangeInput,
  EnableLimitInput,
  RejectLimitChangeInput,
  SetRiskLimitInput,
} from '../generated/resolvers.ts';
import { actor, scopeOf } from '../references.ts';
import { checkTerms, givesWayTo, type LimitTerms, loosens } from '../rules/limit-terms.ts';

export type LimitPayload = CommandPayload<{ limitId: string; changeId: string | null }>;
export type LimitChangePayload = CommandPayload<{ changeId: string }>;

const TEXT_LENGTH = 2_000;

interface StoredLimit extends LimitTerms {
  limitId: string;
  enabled: boolean;
  author: string;
  version: number;
}

/** What a limit is to become. */
type Wanted = Pick<StoredLimit, 'thresholdValue' | 'warningValue' | 'enabled'> & { description?: string };

/** Makes the limit of a type, direction and scope, or changes the one that is there. */
export function setRiskLimit(context: Context, input: SetRiskLimitInput): Promise<LimitPayload> {
  return command(context, 'setRiskLimit', input, async (tx) => {
    const terms = termsOf(input);
    checkTerms(terms);
    const by = actor(input.by);
    const description = input.description && boundedText(input.description, TEXT_LENGTH, ['input', 'description']);
    const all = await lockLimits(tx);
    const own = all.find((limit) => isSamePlace(limit, terms));
    checkVersion(own?.version ?? 0, input.expectedVersion, 'There is no such limit.');
    const wanted: Wanted = { ...terms, enabled: true };
    const needsApproval = isLooser(all, own ?? null, { ...terms, ...wanted });
    if (own) {
      if (input.effectiveFrom || input.effectiveTo) {
        throw refuse.validation('A limit that is there keeps its time. Leave it out.', ['input', 'effectiveFrom']);
      }
      if (needsApproval) return ask(context, tx, own, wanted, by);
      return write(context, tx, own.limitId, { ...wanted, ...(description && { description }) }, by);
    }
    const { limitId } = await tx.riskLimit.create({
      data: {
        ...terms,
        enabled: !needsApproval,
        author: by,
        description: description ?? null,
        effectiveFrom: input.effectiveFrom ?? null,
        effectiveTo: input.effectiveTo ?? null,
        traceId: context.traceId,
      },
      select: { limitId: true },
    });
    const made = { ...terms, limitId, enabled: false, author: by, version: 1 };
    return needsApproval ? ask(context, tx, made, wanted, by) : { limitId, changeId: null };
  });
}

/** Puts a limit in force. */
export function enableLimit(context: Context, input: EnableLimitInput): Promise<LimitPayload> {
  return switchLimit(context, 'enableLimit', input, true);
}

/** Takes a limit out of force, once a second person approves. */
export function disableLimit(context: Context, input: EnableLimitInput): Promise<LimitPayload> {
  return switchLimit(context, 'disableLimit', input, false);
}

function switchLimit(context: Context, operation: string, input: EnableLimitInput, enabled: boolean) {
  return command(context, operation, input, async (tx): Promise<{ limitId: string; changeId: string | null }> => {
    const by = actor(input.by);
    const all = await lockLimits(tx);
    const limit = all.find(({ limitId }) => limitId === input.limitId);
    if (!limit) throw refuse.notFound('RiskLimit', input.limitId, ['input', 'limitId']);
    if (limit.enabled === enabled) return { limitId: limit.limitId, changeId: null };
    if (enabled) checkNoOther(all, limit);
    const { thresholdValue, warningValue } = limit;
    const wanted: Wanted = { thresholdValue, warningValue, enabled };
    if (isLooser(all, limit, { ...limit, ...wanted })) return ask(context, tx, limit, wanted, by);
    return write(context, tx, limit.limitId, wanted, by);
  });
}

/** Does what a change asks for. */
export function approveLimitChange(context: Context, input: ApproveLimitChangeInput): Promise<LimitChangePayload> {
  return command(context, 'approveLimitChange', input, async (tx) => {
    const by = actor(input.by);
    const all = await lockLimits(tx);
    const change = await pendingChange(tx, input.changeId, 'APPROVED');
    if (isSamePerson(change.requestedBy, by)) {
      throw refuse.validation('Whoever asked for a change cannot approve it.', ['input', 'by']);
    }
    const limit = all.find(({ limitId }) => limitId === change.limitId) as StoredLimit;
    if (limit.version !== change.limitVersion) throw refuse.conflict(limit.version);
    if (change.enabled && !limit.enabled) checkNoOther(all, limit);
    const data = { status: 'approved', decidedBy: by, decidedAt: context.now() };
    await tx.limitChange.update({ where: { changeId: change.changeId }, data });
    const { thresholdValue, warningValue, enabled } = change;
    await write(context, tx, limit.limitId, { thresholdValue, warningValue, enabled }, change.requestedBy, by);
    return { changeId: change.changeId };
  });
}

/** Turns a change down. */
export function rejectLimitChange(context: Context, input: RejectLimitChangeInput): Promise<LimitChangePayload> {
  return command(context, 'rejectLimitChange', input, async (tx) => {
    const by = actor(input.by);
    const reason = boundedText(input.reason, TEXT_LENGTH, ['input', 'reason']);
    await lockLimits(tx);
    const { changeId } = await pendingChange(tx, input.changeId, 'REJECTED');
    const data = { status: 'rejected', decidedBy: by, decidedAt: context.now(), reason };
    await tx.limitChange.update({ where: { changeId }, data });
    return { changeId };
  });
}

function termsOf(input: SetRiskLimitInput): LimitTerms {
  return {
    ...scopeOf(input.scope, ['input', 'scope']),
    limitType: stored(input.type),
    direction: stored(input.direction ?? 'BOTH'),
    thresholdValue: dec(input.threshold),
    warningValue: input.warning ? dec(input.warning) : null,
  };
}

/** Holds every other writer of limits back: whether a change loosens depends on all of them. */
async function lockLimits(tx: Tx): Promise<StoredLimit[]> {
  await tx.$executeRaw(sql`select pg_advisory_xact_lock(hashtext('risk_limits'))`);
  const rows = await tx.riskLimit.findMany({ orderBy: [{ enabled: 'desc' }, { createdAt: 'desc' }] });
  return rows as unknown as StoredLimit[];
}

function isSamePlace(one: LimitTerms, other: LimitTerms): boolean {
  return (
    one.limitType === other.limitType &&
    one.direction === other.direction &&
    one.instrumentId === other.instrumentId &&
    one.asset === other.asset &&
    one.accountId === other.accountId &&
    one.strategyId === other.strategyId
  );
}

function checkNoOther(all: readonly StoredLimit[], limit: StoredLimit): void {
  const other = all.find((one) => one.enabled && one.limitId !== limit.limitId && isSamePlace(one, limit));
  if (!other) return;
  throw refuse.conflict(null, `Limit "${other.limitId}" is in force for the same.`, ['input', 'limitId']);
}

/** Whether the limit lets more through than before: than itself, or than less specific ones that give way to it. */
function isLooser(all: readonly StoredLimit[], own: StoredLimit | null, wanted: LimitTerms & Wanted): boolean {
  const before = own?.enabled ? own : null;
  if (before) return loosens(before, wanted.enabled ? wanted : null);
  if (!wanted.enabled) return false;
  return all.some((other) => other.enabled && givesWayTo(other, wanted) && loosens(other, wanted));
}

async function ask(context: Context, tx: Tx, limit: StoredLimit, wanted: Wanted, by: string) {
  const { limitId } = limit;
  const waiting = await tx.limitChange.findFirst({ where: { limitId, status: 'pending' }, select: { changeId: true } });
  if (waiting) {
    const message = `Change "${waiting.changeId}" of this limit waits for a decision. Approve or reject it first.`;
    throw refuse.conflict(limit.version, message);
  }
  const { version } = await tx.riskLimit.findUniqueOrThrow({ where: { limitId }, select: { version: true } });
  const { changeId } = await tx.limitChange.create({
    data: {
      limitId,
      limitVersion: version,
      thresholdValue: wanted.thresholdValue,
      warningValue: wanted.warningValue,
      enabled: wanted.enabled,
      requestedBy: by,
      traceId: context.traceId,
    },
    select: { changeId: true },
  });
  return { limitId, changeId };
}

async function write(context: Context, tx: Tx, limitId: string, wanted: Wanted, by: string, approvedBy?: string) {
  const { thresholdValue, warningValue, enabled, description } = wanted;
  const data = {
    ...(description !== undefined && { description }),
    thresholdValue,
    warningValue,
    enabled,
    author: by,
    approvedBy: approvedBy ?? null,
  };
  await tx.riskLimit.update({ where: { limitId }, data: { ...data, traceId: context.traceId } });
  return { limitId, changeId: null };
}

async function pendingChange(tx: Tx, changeId: string, to: string) {
  const change = isUuid(changeId) ? await tx.limitChange.findUnique({ where: { changeId } }) : null;
  if (!change) throw refuse.notFound('LimitChange', changeId, ['input', 'changeId']);
  if (change.status !== 'pending') throw refuse.invalidTransition(change.status.toUpperCase(), to, []);
  return change;
}

/** @param version of what is there; 0 when nothing is */
