/** What keeps anything from leaving an account, however it is asked for and by whom. */
import { sql } from '../../../platform/database/sql.ts';
import { refuse } from '../../../platform/errors.ts';
import type { Tx } from '../context.ts';
import { isHalted } from './halt.ts';

/** Why nothing may go between the accounts now; null where it may. Until the transaction ends nobody halts transfers. */
export async function stopBetween(tx: Tx, ...accountIds: string[]): Promise<string | null> {
  if (await isHalted(tx)) return 'Transfers are halted. Nothing moves until they are resumed.';
  const [party] = await tx.$queryRaw<{ partyId: string; reason: string }[]>(
    sql`select party_id as "partyId", reason from sanctioned_parties
         where party_id in (select unnest(array[account_id, client_id]) from accounts
                             where account_id = any(${accountIds}::text[]))
         order by party_id limit 1`,
  );
  return party ? `${party.partyId} is on the list: ${party.reason}` : null;
}

/** @throws Refusal (validation) when nothing may go between the accounts now */
export async function checkNoStop(tx: Tx, ...accountIds: string[]): Promise<void> {
  const stop = await stopBetween(tx, ...accountIds);
  if (stop !== null) throw refuse.validation(stop, ['input']);
}
