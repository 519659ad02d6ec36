/** Runs: both sides are looked at, differences become breaks, and breaks whose difference is gone are closed. */
import { type CommandPayload, command } from '../../../platform/command.ts';
import { sql } from '../../../platform/database/sql.ts';
import type { Decimal } from '../../../platform/decimal.ts';
import { Refusal, refuse } from '../../../platform/errors.ts';
import { boundedText } from '../../../platform/texts.ts';
import { EXCHANGE_VENUE } from '../accounts.ts';
import { type RememberAsset, requireAsset } from '../assets.ts';
import type { Context, Tx } from '../context.ts';
import type { RunReconciliationInput } from '../generated/resolvers.ts';
import { readUsdPrices, usdValue } from '../prices.ts';
import { PERSON_LENGTH } from '../rules/ids.ts';
import { followTrades } from '../settlement/trade-follower.ts';
import { type BreakKind, kindOf, levelOf, type Sight, TOLERANCE_USD } from './comparing.ts';
import { tradeFaults } from './explaining.ts';
import { lookAtBoth } from './sights.ts';

export type RunPayload = CommandPayload<{ runId: string }>;

/** A break that was resolved comes back to life when its difference reappears within this. */
const REOPEN_HOURS = 24;

interface Difference {
  sight: Sight;
  kind: BreakKind;
  usdDifference: Decimal | null;
}

/** Compares what is held with what the exchange says, for every linked account or for one, and keeps what was found. */
export async function runReconciliation(context: Context, input: RunReconciliationInput): Promise<RunPayload> {
  const begun = await begin(context, input);
  const { runId } = begun;
  if (runId === undefined || !begun.isNew) return begun;
  try {
    await followTrades(context); // what has been traded is under way, at least
    const sights = await lookAtBoth(context, input.accountId ?? null);
    const differences = await valued(context, sights);
    const assets = [...new Set(differences.map(({ sight }) => sight.asset))];
    const remember = await Promise.all(assets.map((asset) => requireAsset(context, asset)));
    return await finish(context, { runId, sights, differences, remember, accountId: input.accountId ?? null });
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    await fail(context, runId, error.message);
    return { runId, errors: [error.userError] };
  }
}

function begin(
  context: Context,
  input: RunReconciliationInput,
): Promise<CommandPayload<{ runId: string; isNew: boolean }>> {
  let isNew = false; // stays so when the key was used before
  const started = command(context, 'runReconciliation', input, async (tx) => {
    const { accountId = null, actor = null } = input;
    if (accountId !== null) {
      const account = await tx.account.findUnique({ where: { accountId } });
      if (!account) throw refuse.notFound('CustodyAccount', accountId, ['input', 'accountId']);
    }
    const { runId } = await tx.reconciliationRun.create({
      data: {
        scope: accountId === null ? 'ALL' : 'ACCOUNT',
        accountId,
        actor: actor === null ? null : boundedText(actor, PERSON_LENGTH, ['input', 'actor']),
        toleranceUsd: TOLERANCE_USD,
        startedAt: context.now(),
        traceId: context.traceId,
      },
      select: { runId: true },
    });
    isNew = true;
    return { runId };
  });
  return started.then((payload) => ({ ...payload, isNew }));
}

async function valued(context: Context, sights: readonly Sight[]): Promise<Difference[]> {
  const differing = sights.flatMap((sight) => {
    const kind = kindOf(sight);
    return kind === null ? [] : [{ sight, kind }];
  });
  if (differing.length === 0) return [];
  const unexplained = differing.filter(({ kind }) => kind !== 'TIMING').map(({ sight }) => sight.accountId);
  const [prices, faults] = await Promise.all([
    readUsdPrices(
      context.graph,
      differing.map(({ sight }) => sight.asset),
    ),
    tradeFaults(context, [...new Set(unexplained)]),
  ]);
  return differing.map(({ sight, kind: plain }) => {
    const fault = faults.get(`${sight.accountId} ${sight.asset}`);
    const kind = plain === 'TIMING' ? plain : (fault ?? plain);
    const price = prices.get(sight.asset);
    const { internal, inFlight, external } = sight;
    const difference = internal.plus(inFlight).minus(external).abs();
    return { sight, kind, usdDifference: price ? usdValue(difference, price) : null };
  });
}

interface Found {
  runId: string;
  sights: readonly Sight[];
  differences: readonly Difference[];
  /** Makes their assets known: whoever writes one off may have to keep it. */
  remember: readonly RememberAsset[];
  accountId: string | null;
}

async function finish(
  context: Context,
  { runId, sights, differences, remember, accountId }: Found,
): Promise<RunPayload> {
  return command(context, 'finishReconciliation', {}, async (tx) => {
    for (const makeKnown of remember) await makeKnown(tx);
    // One run at a time writes breaks.
    await tx.$executeRaw(sql`select pg_advisory_xact_lock(hashtext('reconciliation'), hashtext(${EXCHANGE_VENUE}))`);
    let breakCount = 0;
    for (const difference of differences) breakCount += (await keep(tx, context, runId, difference)) ? 1 : 0;
    await closeGone(tx, context, differences, accountId);
    const checked = sights.length;
    await tx.reconciliationRun.update({
      where: { runId },
      data: {
        status: breakCount === 0 ? 'BALANCED' : 'BREAKS_FOUND',
        checked,
        matched: checked - breakCount,
        breakCount,
        finishedAt: context.now(),
        traceId: context.traceId,
      },
    });
    return { runId };
  });
}

/** Stores the difference as the place's open break, a reopened one, or a new one. Gives whether somebody should look. */
async function keep(
  tx: Tx,
  { now, traceId }: Context,
  runId: string,
  { sight, kind, usdDifference }: Difference,
): Promise<boolean> {
  const { accountId, asset, internal, inFlight, external } = sight;
  const level = kind === 'TIMING' ? 'TOLERATED' : levelOf(usdDifference);
  const isTolerated = kind !== 'TIMING' && level === 'TOLERATED';
  const at = now();
  const figures = {
    runId,
    internalAmount: internal,
    inFlightAmount: inFlight,
    externalAmount: external,
    usdDifference,
    kind,
    level,
    traceId,
  };
  const place = { venueId: EXCHANGE_VENUE, accountId, asset };
  const resolved = isTolerated
    ? { status: 'AUTO_RESOLVED', resolvedAt: at, resolution: 'It is within the tolerance.' }
    : {};
  const open = await tx.reconciliationBreak.findFirst({
    where: { ...place, status: { in: ['OPEN', 'INVESTIGATING'] } },
  });
  if (open) {
    await tx.reconciliationBreak.update({ where: { breakId: open.breakId }, data: { ...figures, ...resolved } });
    return !isTolerated;
  }
  const last = await tx.reconciliationBreak.findFirst({ where: place, orderBy: { openedAt: 'desc' } });
  if (isTolerated) {
    const isKnown = last?.status === 'AUTO_RESOLVED' && last.difference.eq(internal.plus(inFlight).minus(external));
    if (!isKnown) await tx.reconciliationBreak.create({ data: { ...place, ...figures, ...resolved, openedAt: at } });
    return false;
  }
  const since = new Date(at.getTime() - REOPEN_HOURS * 3_600_000);
  if (last?.status === 'RESOLVED' && last.resolvedAt && last.resolvedAt >= since) {
    const reopened = {
      status: 'OPEN',
      resolvedAt: null,
      resolution: null,
      assignee: null,
      reopenedCount: { increment: 1 },
    };
    await tx.reconciliationBreak.update({ where: { breakId: last.breakId }, data: { ...figures, ...reopened } });
  } else {
    await tx.reconciliationBreak.create({ data: { ...place, ...figures, openedAt: at } });
  }
  return true;
}

/** Breaks of the scope whose difference is not there any more. */
async function closeGone(
  tx: Tx,
  { now, traceId }: Context,
  differences: readonly Difference[],
  accountId: string | null,
): Promise<void> {
  const still = differences.map(({ sight }) => `${sight.accountId} ${sight.asset}`);
  await tx.$executeRaw(
    sql`update reconciliation_breaks
           set status = 'AUTO_RESOLVED', resolved_at = greatest(${now().toISOString()}::timestamptz, opened_at),
               resolution = 'The difference is gone.', trace_id = ${traceId}
         where venue_id = ${EXCHANGE_VENUE} and status in ('OPEN', 'INVESTIGATING')
           and (${accountId}::text is null or account_id = ${accountId})
           and account_id || ' ' || asset <> all(${still}::text[])`,
  );
}

async function fail(context: Context, runId: string, reason: string): Promise<void> {
  await command(context, 'failReconciliation', {}, async (tx) => {
    const { traceId } = context;
    const data = { status: 'FAILED', failureReason: reason, finishedAt: context.now(), traceId };
    await tx.reconciliationRun.update({ where: { runId }, data });
    return {};
  });
}
