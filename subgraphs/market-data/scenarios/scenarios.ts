/** Scenarios and the manipulations they are made of: what is stored of them and how they are read. */
import { type Sql, sql } from '../../../platform/database/sql.ts';
import type { ChangeEvent } from '../../../platform/feed/row-changes.ts';
import { topic } from '../../../platform/feed/topic.ts';
import { equals, equalsSymbol, equalsUuid, isOneOf, within } from '../../../platform/filters.ts';
import { childList, entity } from '../../../platform/loaders.ts';
import { type Connection, connectionSource } from '../../../platform/paging.ts';
import { normaliseSymbol } from '../../../platform/symbols.ts';
import type { MarketScenarioFilter, PriceManipulationFilter } from '../generated/resolvers.ts';
import type { Pattern } from './rules/price-effect.ts';
import type { ScenarioState } from './rules/scenario-lifecycle.ts';
import type { ScenarioType } from './rules/scenario-limits.ts';

/** A row of `market_scenarios`. */
export interface MarketScenarioRow {
  scenarioId: string;
  name: string;
  type: ScenarioType;
  symbols: string[];
  intensity: string;
  deviation: string;
  isGradual: boolean;
  durationMinutes: number;
  recoveryFactor: string;
  seed: number;
  state: ScenarioState;
  scheduledFor: string | null;
  startedAt: string | null;
  recoversAt: string | null;
  endsAt: string | null;
  endedAt: string | null;
  reason: string | null;
  createdBy: string | null;
  createdAt: string;
  updatedAt: string;
  version: number;
  traceId: string | null;
}

/** A row of `price_manipulations`. */
export interface PriceManipulationRow {
  manipulationId: string;
  scenarioId: string;
  symbol: string;
  pattern: Pattern;
  deviation: string;
  seed: number;
  state: 'ACTIVE' | 'ENDED';
  anchorPrice: string;
  targetPrice: string;
  originalPrice: string;
  originalBid: string | null;
  originalAsk: string | null;
  publishedPrice: string;
  startedAt: string;
  fullAt: string;
  recoversAt: string;
  endsAt: string;
  endedAt: string | null;
  createdAt: string;
  updatedAt: string;
  version: number;
  traceId: string | null;
}

export type MarketScenarioPage = Connection<MarketScenarioRow>;
export type PriceManipulationPage = Connection<PriceManipulationRow>;
export type MarketScenarioEvent = ChangeEvent<MarketScenarioRow>;
export type ScenarioPriceEvent = ChangeEvent<PriceManipulationRow>;

export const marketScenarios = entity<MarketScenarioRow>({
  name: 'MarketScenario',
  table: 'market_scenarios',
  key: 'scenario_id',
  keyType: 'uuid',
});

export const scenarioList = connectionSource<MarketScenarioRow>({
  table: 'market_scenarios',
  id: 'scenario_id',
  sorts: { CREATED_AT: 'created_at' },
});

export const manipulationList = connectionSource<PriceManipulationRow>({
  table: 'price_manipulations',
  id: 'manipulation_id',
  sorts: { STARTED_AT: 'started_at' },
});

/** A scenario has one a symbol, and at most 50 symbols. */
export const scenarioManipulations = childList<PriceManipulationRow>({
  name: 'PriceManipulation',
  table: 'price_manipulations',
  parent: 'scenario_id',
  keyType: 'uuid',
  orderBy: 'symbol',
  limit: 50,
});

export const scenarioTopic = topic<MarketScenarioRow>({
  table: 'market_scenarios',
  key: 'scenario_id',
  fields: { scenarioId: 'uuid' },
  mode: 'lossless',
  snapshotOrder: sql`created_at desc, scenario_id desc`,
  snapshotRows: 100,
});

export const scenarioPriceTopic = topic<PriceManipulationRow>({
  table: 'price_manipulations',
  key: 'manipulation_id',
  fields: { scenarioId: 'uuid' },
  mode: 'conflated',
});

/** The conditions of a filter. Throws a validation Refusal on a symbol that is none. */
export function scenarioConditions(filter: MarketScenarioFilter | null | undefined): Sql[] {
  if (!filter) return [];
  const { symbol } = filter;
  return [
    ...equals('type', filter.type),
    ...isOneOf('state', filter.states),
    ...(symbol ? [sql`${normaliseSymbol(symbol, ['filter', 'symbol'])} = any(symbols)`] : []),
  ];
}

/** The conditions of a filter. Throws a validation Refusal on a symbol that is none. */
export function manipulationConditions(filter: PriceManipulationFilter | null | undefined): Sql[] {
  if (!filter) return [];
  return [
    ...equalsUuid('scenario_id', filter.scenarioId),
    ...equalsSymbol('symbol', filter.symbol),
    ...equals('state', filter.isActive == null ? null : filter.isActive ? 'ACTIVE' : 'ENDED'),
    ...within('started_at', filter),
  ];
}
