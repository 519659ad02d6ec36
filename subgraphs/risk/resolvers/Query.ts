import { stored } from '../../../platform/enums.ts';
import { badInput } from '../../../platform/errors.ts';
import { equals } from '../../../platform/filters.ts';
import {
  alertConditions,
  alertList,
  alerts,
  breachConditions,
  breaches,
  breachList,
  countAlerts,
  isOpenAlert,
} from '../alerts/alerts.ts';
import { BREAKER_ID, breakerEventList, breakers } from '../breaker/breaker.ts';
import { complianceQueries } from '../compliance/resolvers.ts';
import type { QueryResolvers } from '../generated/resolvers.ts';
import { changeList, limitConditions, limitList, limits, versionList } from '../limits/limits.ts';
import {
  latestMetric,
  latestOfAny,
  metricConditions,
  metricInstrument,
  metricList,
  metrics,
  varHistory,
} from '../measures/metrics.ts';
import {
  aggregatedPositions,
  positionsAsOf,
  snapshotById,
  snapshotConditions,
  snapshotList,
} from '../measures/snapshots.ts';
import { accountReference, PORTFOLIO, scopeOf } from '../references.ts';
import { preTradeCheck } from '../reports/pre-trade-check.ts';
import { complianceStatus, dailyRiskSummary, pnlAttribution, riskStatus } from '../reports/reports.ts';
import { stressTestConditions, stressTestList } from '../reports/stress-tests.ts';
import { UTILISATION_LIMIT, utilisations, wantedBy } from '../reports/utilisations.ts';
import { effectiveLimits, isPerAsset, isPerInstrument } from '../rules/limit-terms.ts';

/** Open alerts of one page. */
const OPEN_ALERTS_LIMIT = 100;

export const Query: QueryResolvers = {
  riskFeed: (_, __, context) => context.feed.status(),
  riskHealth: (_, __, context) => context.health.read(),

  riskLimit: (_, { id }, context) => context.load(limits, id),
  riskLimits: (_, { filter, ...page }, context) => context.connect(limitList, page, limitConditions(filter)),
  effectiveLimits: async (_, { scope }, context) => {
    const asked = scopeOf(scope, ['scope']);
    const { limits: book } = context.service;
    await book.ready();
    const inForce = book.inForce();
    // What is measured of an instrument, of an asset and of the whole are three subjects.
    const subjects = [
      { ...asked, instrumentId: null, asset: null },
      ...(asked.instrumentId === null ? [] : [{ ...asked, asset: null }]),
      ...(asked.asset === null ? [] : [{ ...asked, instrumentId: null }]),
    ];
    const found = subjects.flatMap((subject) =>
      effectiveLimits(inForce, subject).filter(
        ({ limitType }) =>
          isPerInstrument(limitType) === (subject.instrumentId !== null) &&
          isPerAsset(limitType) === (subject.asset !== null),
      ),
    );
    return found.map(({ row }) => row);
  },
  limitHistory: (_, { limitId, ...page }, context) => context.connect(versionList, page, equals('limit_id', limitId)),
  limitChanges: (_, { status, limitId, ...page }, context) =>
    context.connect(changeList, page, [...equals('status', status && stored(status)), ...equals('limit_id', limitId)]),
  limitUtilisation: async (_, { filter }, context) =>
    (await utilisations(context, wantedBy(filter))).slice(0, UTILISATION_LIMIT),

  riskAlert: (_, { id }, context) => context.load(alerts, id),
  riskAlerts: (_, { filter, ...page }, context) => context.connect(alertList, page, alertConditions(filter)),
  activeAlerts: (_, { severity, ...page }, context) =>
    context.connect(alertList, atMost(page), [isOpenAlert, ...equals('severity', severity && stored(severity))]),
  alertCounts: (_, { accountId }, context) =>
    countAlerts(context, equals('account_id', accountId && accountReference(accountId))),
  riskBreach: (_, { id }, context) => context.load(breaches, id),
  riskBreaches: (_, { filter, ...page }, context) => context.connect(breachList, page, breachConditions(filter)),

  circuitBreaker: (_, __, context) => context.load(breakers, BREAKER_ID),
  circuitBreakerEvents: (_, page, context) => context.connect(breakerEventList, page),

  riskMetric: (_, { id }, context) => context.load(metrics, id),
  latestRiskMetric: (_, { accountId, symbol }, context) => {
    const instrumentId = symbol ? metricInstrument(symbol, ['symbol']) : PORTFOLIO;
    return accountId
      ? latestMetric(context, accountReference(accountId), instrumentId)
      : latestOfAny(context, instrumentId);
  },
  riskMetrics: (_, { filter, ...page }, context) => context.connect(metricList, page, metricConditions(filter)),
  varHistory: (_, { accountId, days }, context) => varHistory(context, accountReference(accountId), days ?? 30),

  positionSnapshot: (_, { id }, context) => snapshotById(context, id),
  positionSnapshots: (_, { filter, ...page }, context) =>
    context.connect(snapshotList, page, snapshotConditions(filter)),
  positionsAsOf: (_, { at, ...place }, context) => positionsAsOf(context, at, place),
  aggregatedPositions: (_, { groupBy, ...place }, context) => aggregatedPositions(context, groupBy, place),

  riskStatus: (_, __, context) => riskStatus(context),
  portfolioRisk: async (_, { accountId }, context) => {
    const reference = accountReference(accountId);
    const { portfolios } = context.service;
    await portfolios.book.ready();
    return portfolios.book.accountIds().includes(reference) ? portfolios.report(reference) : null;
  },
  preTradeCheck: (_, { input }, context) => preTradeCheck(context, input),
  complianceStatus: (_, { accountId }, context) => complianceStatus(context, accountId),
  dailyRiskSummary: (_, wanted, context) => dailyRiskSummary(context, wanted),
  pnlAttribution: (_, { accountId, groupBy }, context) => pnlAttribution(context, accountId, groupBy ?? 'INSTRUMENT'),
  stressTestResults: (_, { accountId, scenario, ...page }, context) =>
    context.connect(stressTestList, page, stressTestConditions(accountId, scenario)),
  ...complianceQueries,
};

/** Throws BAD_USER_INPUT on a page that is larger than a page of open alerts may be. */
export function atMost<Page extends { first?: number | null | undefined }>(page: Page): Page {
  if ((page.first ?? 0) <= OPEN_ALERTS_LIMIT) return page;
  throw badInput(`first must be from 0 to ${OPEN_ALERTS_LIMIT}, but got ${page.first}.`, ['first']);
}
