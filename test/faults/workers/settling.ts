/** What tests of the settlement queue share: clients that owe each other, and what must be true once all is settled. */
import { expect } from 'vitest';
import { audit } from '../../graph/custodian/audit.ts';
import { admit, type Client, quote } from '../../graph/custodian/vault.ts';
import { done } from '../../graph/exchange/floor.ts';
import type { Stage } from './stage.ts';

const CLIENTS = 10;
const HELD = 100;

export interface Debts {
  stage: Stage;
  clients: Client[];
}

/** Clients who each have 100 BTC. */
export async function admitClients(stage: Stage): Promise<Debts> {
  const { graph } = stage;
  await quote(graph, { BTC: '100' });
  const clients: Client[] = [];
  for (let number = 0; number < CLIENTS; number++) clients.push(await admit(graph, { BTC: String(HELD) }));
  return { stage, clients };
}

/** So many instructions, a multiple of ten, each of another amount. */
export async function instruct({ stage, clients }: Debts, count: number): Promise<void> {
  const at = (index: number) => (clients[index % CLIENTS] as Client).segregated;
  for (let first = 0; first < count; first += CLIENTS) {
    const step = 1 + ((first / CLIENTS) % (CLIENTS - 1));
    const instructions = Array.from({ length: CLIENTS }, (_, i) => {
      const input = { type: 'TRANSFER', accountId: at(i), counterpartyAccountId: at(i + step), asset: 'BTC' };
      return done(stage.graph, 'initiateSettlement', { ...input, quantity: `1.${first + i}` });
    });
    await Promise.all(instructions);
  }
}

/** How many settlements are in each state. */
export async function countsOf({ sql }: Stage): Promise<Record<string, number>> {
  const rows = await sql('select status, count(*)::int as count from custodian.settlements group by 1');
  return Object.fromEntries(rows.map((row) => [row.status, row.count]));
}

/** Each was posted once, and every account has what it should. */
export async function expectSettledOnce({ stage, clients }: Debts): Promise<void> {
  const twice = await stage.sql(`
    select settlement_id from custodian.settlements as settlement
     where (select count(distinct posting_id) from custodian.ledger_entries
             where ref_type = 'SETTLEMENT' and ref_id = settlement_id::text and kind = 'TRANSFER') <> 1
        or (select sum(amount) from custodian.ledger_entries
             where ref_type = 'SETTLEMENT' and ref_id = settlement_id::text and kind = 'TRANSFER'
               and account_id = destination_account_id) <> quantity`);
  expect(twice).toEqual([]);
  expect(await audit(stage.graph)).toEqual({});
  const expected = await stage.sql(`
    select account_id, ${HELD} + sum(amount) as quantity from (
      select destination_account_id as account_id, quantity as amount from custodian.settlements
      union all select source_account_id, -quantity from custodian.settlements) as moves
     group by account_id order by account_id`);
  const held = await stage.sql(
    `
    select account_id, quantity from custodian.holdings where asset = 'BTC' and account_id = any($1) and reserved_quantity = 0
     order by account_id`,
    [clients.map(({ segregated }) => segregated)],
  );
  expect(held).toEqual(expected);
}
