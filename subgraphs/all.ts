/** Every subgraph of the graph. */
import type { SubgraphDefinition } from '../platform/subgraph.ts';
import { custodian } from './custodian/index.ts';
import { exchange } from './exchange/index.ts';
import { marketData } from './market-data/index.ts';
import { registry } from './registry/index.ts';
import { risk } from './risk/index.ts';
import { trading } from './trading/index.ts';

export const subgraphs: readonly SubgraphDefinition[] = [marketData, exchange, trading, custodian, risk, registry];
