/** Entities of other domains as the custodian knows them: by their keys. */

import { existing } from '../../platform/loaders.ts';
import { isUuid } from '../../platform/uuid.ts';
import { accounts, type CustodyAccountRow, linksOfVenueAccount } from './accounts.ts';
import type { Context } from './context.ts';

export interface ClientReference {
  clientId: string;
}

export interface ExchangeAccountReference {
  /** UUID in lower case. */
  accountId: string;
}

export type PortfolioReference = ExchangeAccountReference;

export interface ExchangeTradeReference {
  tradeId: string;
}

export interface AssetReference {
  code: string;
}

/** The exchange account, or its portfolio, of that id; null when the id is no UUID. */
export function exchangeAccountOf(accountId: string): ExchangeAccountReference | null {
  return isUuid(accountId) ? { accountId: accountId.toLowerCase() } : null;
}

/** The custody accounts that stand for the exchange account. */
export async function custodyAccountsOf(context: Context, exchangeAccountId: string): Promise<CustodyAccountRow[]> {
  const links = await context.list(linksOfVenueAccount, exchangeAccountId);
  return Promise.all(
    links.map(({ custodyAccountId: id }) => existing(context.load(accounts, id), 'CustodyAccount', id)),
  );
}
