/** A custodian for the tests: clients with accounts and what lies in them, and answers as plain values. */
import type { TestGraph } from '../../support/graph.ts';
import { ask, done } from '../exchange/floor.ts';

// biome-ignore lint/suspicious/noExplicitAny: a test reads whatever shape its query asked for
type Data = any;

/** Makes the assets known, each with its last price in US dollars. */
export async function quote(graph: TestGraph, prices: Record<string, string>, time = new Date()): Promise<void> {
  const at = time.toISOString();
  for (const [asset, price] of Object.entries(prices)) {
    await done(graph, 'createInstrument', { symbol: `${asset}-USD` });
    const quoted = { symbol: `${asset}-USD`, price, bid: price, ask: price, source: 'test', timestamp: at };
    await done(graph, 'ingestPrices', { prices: [quoted] });
  }
}

let clients = 0;

export interface Client {
  clientId: string;
  master: string;
  segregated: string;
}

/** A client with a master and a segregated account; the segregated one has what it is given. */
export async function admit(graph: TestGraph, things: Record<string, string> = {}): Promise<Client> {
  const clientId = `depositor-${++clients}`;
  const client = { clientId, master: `${clientId}-master`, segregated: `${clientId}-a` };
  await done(graph, 'openCustodyAccount', { accountId: client.master, clientId, kind: 'MASTER' });
  const { master: parentAccountId, segregated: accountId } = client;
  await done(graph, 'openCustodyAccount', { accountId, clientId, kind: 'SEGREGATED', parentAccountId });
  for (const [asset, amount] of Object.entries(things)) await bring(graph, accountId, asset, amount);
  return client;
}

/** Lets the exchange say that it knows who the client is. */
export async function identify(graph: TestGraph, { clientId, segregated }: Client, kyc = 'APPROVED'): Promise<void> {
  const venueAccountId = crypto.randomUUID();
  await graph.sql(
    'exchange',
    `insert into accounts (account_id, user_id, account_type, kyc_status) values ($1, $2, 'SPOT', $3)`,
    [venueAccountId, clientId, kyc],
  );
  await graph.sql(
    'custodian',
    `insert into account_links (custody_account_id, venue_id, venue_account_id, settles_from) values ($1, 'exchange', $2, now())`,
    [segregated, venueAccountId],
  );
}

/** Credits an account with what has arrived from outside. */
export async function bring(graph: TestGraph, accountId: string, asset: string, amount: string): Promise<void> {
  await done(graph, 'depositCustodyAsset', { accountId, asset, amount });
}

/** What the account holds, as "available + reserved + held" by asset: { USD: "900 + 100 + 0" }. */
export async function inside(graph: TestGraph, accountId: string): Promise<Record<string, string>> {
  const parts = 'asset { code } available reserved held';
  const query = `query Inside($id: ID!) { account: custodyAccount(id: $id) { positions { ${parts} } balances { ${parts} } } }`;
  const { account } = await ask(graph, query, { id: accountId });
  return Object.fromEntries(
    [...account.positions, ...account.balances].map((holding: Data) => [
      holding.asset.code,
      `${holding.available} + ${holding.reserved} + ${holding.held}`,
    ]),
  );
}
