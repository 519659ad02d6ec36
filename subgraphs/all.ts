/** Every subgraph of the graph. */
import type { SubgraphDefinition } from '../platform/subgraph.ts';
import { audit } from './audit/index.ts';
import { custodian } from './custodian/index.ts';
import { exchange } from './exchange/index.ts';
import { marketData } from './market-data/index.ts';
import { registry } from './registry/index.ts';
import { risk } from './risk/index.ts';
import { testCoordination } from './test-coordination/index.ts';
import { trading } from './trading/index.ts';

export const subgraphs: readonly SubgraphDefinition[] = [
  marketData,
  exchange,
  trading,
  custodian,
  risk,
  testCoordination,
  audit,
  registry,
];
