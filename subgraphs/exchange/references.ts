/** Entities of other domains as the exchange knows them: by their keys. */
import { isUuid } from '../../platform/uuid.ts';

export interface InstrumentReference {
  symbol: string;
}

export interface PortfolioReference {
  /** UUID in lower case. */
  accountId: string;
}

/** The portfolio of that account, or null when the id is no UUID. */
export function portfolioOf(accountId: string): PortfolioReference | null {
  return isUuid(accountId) ? { accountId: accountId.toLowerCase() } : null;
}
