/** The balances that a command has locked, as they change while it computes. */
import type { Decimal } from '../../../platform/decimal.ts';
import { EXTERNAL_ACCOUNT_ID, HOUSE_ACCOUNT_ID, type Movement } from './settlement.ts';

/** What an account holds of an asset. */
export interface Purse {
  accountId: string;
  asset: string;
  available: Decimal;
  locked: Decimal;
  /** Of the request that has changed it last, where somebody writes for several. */
  traceId?: string;
}

export class Purses {
  readonly #purses = new Map<string, Purse>();
  readonly #changed = new Set<Purse>();
  #traceId: string | undefined;

  constructor(purses: readonly Purse[]) {
    for (const purse of purses) this.#purses.set(`${purse.accountId} ${purse.asset}`, { ...purse });
  }

  /** What changes from now on changes for the request of that trace. */
  writeFor(traceId: string): void {
    this.#traceId = traceId;
  }

  /** Throws when the command has not locked that balance. */
  of(accountId: string, asset: string): Readonly<Purse> {
    return this.#get(accountId, asset);
  }

  #get(accountId: string, asset: string): Purse {
    const purse = this.#purses.get(`${accountId} ${asset}`);
    if (!purse) throw new Error(`The ${asset} balance of account ${accountId} is not locked`);
    return purse;
  }

  /** Moves the amounts of the clients' accounts; those of the exchange's own are not held here. */
  apply(movements: readonly Movement[]): void {
    for (const { accountId, asset, bucket, amount } of movements) {
      if (accountId === HOUSE_ACCOUNT_ID || accountId === EXTERNAL_ACCOUNT_ID) continue;
      const purse = this.#get(accountId, asset);
      if (bucket === 'AVAILABLE') purse.available = purse.available.plus(amount);
      else purse.locked = purse.locked.plus(amount);
      if (this.#traceId !== undefined) purse.traceId = this.#traceId;
      this.#changed.add(purse);
    }
  }

  /** Those that have changed since they were locked. */
  changed(): readonly Readonly<Purse>[] {
    return [...this.#changed];
  }
}
