/** Clearing the bench of a run up: nothing is traded, held or limited any more. Every step may have been done before. */
import type { Bench } from '../rules/definition.ts';
import { type BenchIds, BY, benchIds, SECOND_PERSON } from './bench.ts';
import { type Desk, messageOf, persist, Refused } from './desk.ts';
import { settleTrades } from './settlements.ts';

/** A step is tried for so long while a domain is away. */
const STEP_WITHIN_MS = 20_000; // 20 seconds

/** Closes what is open, and gives what could not be: a sentence each. */
export async function clearBench(desk: Desk, bench: Bench, runId: string): Promise<string[]> {
  const ids = benchIds(runId);
  const problems: string[] = [];
  const step = async (name: string, work: () => Promise<void>) => {
    try {
      await persist(() => work().then(() => true), { withinMs: STEP_WITHIN_MS });
    } catch (error) {
      problems.push(`${name}: ${messageOf(error)}`);
    }
  };
  const account = await find(desk, ids.accountId);
  await step('positions', () => closePositions(desk, ids));
  await step('limits', () => releaseLimits(desk, ids));
  await step('strategy', () => stopStrategy(desk, ids));
  if (bench.hasCustody && account) {
    await step('settlements', () => settleTrades(desk, ids).then(() => undefined));
    await step('custody', () => closeCustody(desk, ids));
  }
  await step('alerts', () => resolveAlerts(desk, ids));
  for (const accountId of [ids.accountId, ids.makerId]) await step('account', () => closeAccount(desk, accountId));
  return problems;
}

interface Balance {
  available: string;
  asset: { code: string } | null;
}

async function find(desk: Desk, id: string): Promise<{ status: string; balances: Balance[] } | null> {
  const { exchangeAccount } = await desk.ask(
    'query ($id: ID!) { exchangeAccount(id: $id) { status balances { available asset { code } } } }',
    { id },
  );
  return exchangeAccount;
}

const OPEN = `query ($id: ID!) { openPositions(strategyId: $id) { nodes { positionId } }
  activeOrders(strategyId: $id) { nodes { orderId } } }`;

export async function closePositions(desk: Desk, { strategyId }: BenchIds): Promise<void> {
  const look = async () => {
    const { openPositions, activeOrders } = await desk.ask(OPEN, { id: strategyId });
    return { positions: openPositions.nodes, orders: activeOrders.nodes };
  };
  await persist(
    async () => {
      const { positions, orders } = await look();
      if (positions.length === 0 && orders.length === 0) return true;
      if (orders.length === 0) {
        for (const { positionId } of positions)
          await desk.send('closePosition', { positionId }).catch(passOver(['CONFLICT', 'INVALID_TRANSITION']));
      }
      return null;
    },
    { withinMs: STEP_WITHIN_MS },
  );
}

/** Passes over refusals that say that the step was done before. */
function passOver(codes: readonly string[]): (error: unknown) => undefined {
  return (error) => {
    if (error instanceof Refused && codes.includes(error.code)) return undefined;
    throw error;
  };
}

const LIMITS = `query ($filter: RiskLimitFilter) { riskLimits(filter: $filter) { nodes { limitId isEnabled pendingChange { changeId } } } }`;

/** Takes the limits of the run's account out of force, which takes two. */
export async function releaseLimits(desk: Desk, { accountId }: BenchIds): Promise<void> {
  const { riskLimits } = await desk.ask(LIMITS, { filter: { accountId } });
  for (const { limitId, isEnabled, pendingChange } of riskLimits.nodes) {
    if (!isEnabled) continue;
    const asked =
      pendingChange ??
      (await desk.send('disableLimit', { limitId, by: BY }, 'pendingChange { changeId }')).pendingChange;
    if (asked) await desk.send('approveLimitChange', { changeId: asked.changeId, by: SECOND_PERSON });
  }
}

async function stopStrategy(desk: Desk, { strategyId }: BenchIds): Promise<void> {
  const { strategy } = await desk.ask('query ($id: ID!) { strategy(id: $id) { status } }', { id: strategyId });
  if (strategy && ['ACTIVE', 'PAUSED', 'ERROR'].includes(strategy.status))
    await desk.send('stopStrategy', { strategyId });
}

const ALERTS = `query ($filter: RiskAlertFilter) { riskAlerts(filter: $filter, first: 100) { nodes { alertId } } }`;

/** Alerts of limits end with their breaches; those that the engine has raised are ended here. */
export async function resolveAlerts(desk: Desk, { accountId }: BenchIds): Promise<void> {
  await persist(
    async () => {
      const filter = { accountId, statuses: ['ACTIVE', 'ACKNOWLEDGED'] };
      const { riskAlerts } = await desk.ask(ALERTS, { filter });
      if (riskAlerts.nodes.length === 0) return true;
      for (const { alertId } of riskAlerts.nodes) {
        await desk
          .send('resolveAlert', { alertId, by: BY, note: 'The test is over.' })
          .catch(passOver(['VALIDATION_FAILED', 'INVALID_TRANSITION']));
      }
      return null;
    },
    { withinMs: STEP_WITHIN_MS },
  );
}

const RESTING = 'query ($id: ID!) { openExchangeOrders(accountId: $id, first: 500) { nodes { orderId } } }';

async function closeAccount(desk: Desk, accountId: string): Promise<void> {
  const account = await find(desk, accountId);
  if (!account || account.status === 'CLOSED') return;
  const { openExchangeOrders } = await desk.ask(RESTING, { id: accountId });
  for (const { orderId } of openExchangeOrders.nodes) {
    await desk.send('cancelExchangeOrder', { orderId }).catch(passOver(['INVALID_TRANSITION']));
  }
  const balances = (await find(desk, accountId))?.balances ?? [];
  for (const { available, asset } of balances) {
    if (asset && /[1-9]/.test(available))
      await desk.send('withdraw', { accountId, asset: asset.code, amount: available });
  }
  await desk.send('closeAccount', { accountId });
}

const CUSTODY = `query ($id: ID!) { custodyAccount(id: $id) { status positions { available asset { code } }
  balances { available asset { code } } } }`;

async function closeCustody(desk: Desk, ids: BenchIds): Promise<void> {
  for (const [accountId, venueAccountId] of [
    [ids.clientId, ids.accountId],
    [ids.makerClientId, ids.makerId],
  ]) {
    const { custodyAccount } = await desk.ask(CUSTODY, { id: accountId });
    if (!custodyAccount || custodyAccount.status === 'CLOSED') continue;
    await desk.send('unlinkVenueAccount', { venueAccountId }).catch(passOver(['NOT_FOUND']));
    for (const { available, asset } of [...custodyAccount.positions, ...custodyAccount.balances] as Balance[]) {
      if (!asset || !/[1-9]/.test(available)) continue;
      await desk.send('withdrawCustodyAsset', { accountId, asset: asset.code, amount: available });
    }
    await desk.send('closeCustodyAccount', { accountId });
  }
}
