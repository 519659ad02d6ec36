/**
 * Follows what one domain changes and seals it: the events and the place they came from are stored in one transaction, so
 * that whatever is killed, nothing is lost and nothing is sealed twice.
 */
import { databaseFault } from '../../../platform/database/database-error.ts';
import { sql } from '../../../platform/database/sql.ts';
import { inTransaction } from '../../../platform/database/transaction.ts';
import { camelCaseOf, type Domain } from '../../../platform/domains.ts';
import { type Following, follow } from '../../../platform/following.ts';
import type { ServiceParts } from '../../../platform/subgraph.ts';
import { quietTables } from '../rules/event-types.ts';
import { eventOf, gapOf, type ToldChange } from '../rules/events.ts';
import { append, forgetDays } from './append.ts';

interface Batch {
  kind: 'UPSERT' | 'PROGRESS' | 'RESYNC';
  cursor: string;
  at: string;
  events: ToldChange[];
}

export interface FollowedState {
  domain: Domain;
  /** Whether the domain is heard at the moment. */
  isFollowing: boolean;
  /** Everything committed there until then is in the trail; null before the first word. */
  toldUntil: string | null;
  sealedCount: number;
  reason: string | null;
}

/** While nothing happens the place is stored so often, long before what follows it may be gone. */
const KEEP_PLACE_MS = 600_000; // 10 minutes

/** Somebody else has sealed what was to be sealed here: begin from where he is. */
class Overtaken extends Error {}

export class Follower {
  readonly state: FollowedState;
  private readonly parts: ServiceParts;
  private readonly onSealed: () => void;
  private readonly stopping = new AbortController();
  private readonly running: Promise<void>;
  private cursor: string | null = null;
  private keptAt = 0;

  constructor(parts: ServiceParts, domain: Domain, onSealed: () => void) {
    this.parts = parts;
    this.onSealed = onSealed;
    this.state = { domain, isFollowing: false, toldUntil: null, sealedCount: 0, reason: null };
    const field = `${camelCaseOf(domain)}Events`;
    const sampledOnly = quietTables(domain);
    const following: Following<Batch> = {
      document: documentOf(field),
      field,
      begin: () => this.begin(),
      variables: () => ({ after: this.cursor, sampledOnly }),
      take: (batch) => this.take(batch),
      interrupted: (reason) => {
        this.state.isFollowing = false;
        this.state.reason = reason.message;
      },
    };
    this.running = follow(parts, following, this.stopping.signal);
  }

  stop(): Promise<void> {
    this.stopping.abort();
    return this.running;
  }

  private async begin(): Promise<void> {
    const { domain } = this.state;
    const row = await this.parts.db.one<{ cursor: string | null }>(
      sql`select cursor from followed_feeds where domain = ${domain}`,
    );
    this.cursor = row?.cursor ?? null;
  }

  private async take(batch: Batch): Promise<void> {
    await this.seal(batch);
    this.state.isFollowing = true;
    this.state.reason = null;
    this.state.toldUntil = batch.at;
  }

  private async seal(batch: Batch): Promise<void> {
    const { domain } = this.state;
    const contents = batch.events.flatMap((told) => eventOf(domain, told) ?? []);
    if (batch.kind === 'RESYNC') contents.push(gapOf(domain, this.cursor ?? '', batch.cursor, batch.at));
    if (contents.length === 0 && Date.now() - this.keptAt < KEEP_PLACE_MS) return;
    const count = await this.store(batch, contents);
    this.cursor = batch.cursor;
    this.keptAt = Date.now();
    this.state.sealedCount += count;
    if (count > 0) {
      this.parts.feed.ring();
      this.onSealed();
    }
  }

  private async store({ cursor, at }: Batch, contents: Parameters<typeof append>[2]): Promise<number> {
    const { db, now } = this.parts;
    const { domain } = this.state;
    try {
      return await inTransaction(db, async (tx) => {
        await tx.query(sql`insert into followed_feeds (domain) values (${domain}) on conflict do nothing`);
        const [row] = await tx.query<{ cursor: string | null }>(
          sql`select cursor from followed_feeds where domain = ${domain} for update`,
        );
        if ((row?.cursor ?? null) !== this.cursor) throw new Overtaken('another process has sealed this');
        const { sealed } = await append(tx, db, contents, now());
        await tx.query(sql`
          update followed_feeds set cursor = ${cursor}, told_until = ${at}::timestamptz, updated_at = clock_timestamp()
           where domain = ${domain}`);
        return sealed.length;
      });
    } catch (error) {
      if (databaseFault(error)?.code === NO_PARTITION) forgetDays(db);
      throw error;
    }
  }
}

const NO_PARTITION = '23514'; // check_violation: no partition of relation found for row

function documentOf(field: string): string {
  return /* GraphQL */ `
    subscription AuditTrail($after: String, $sampledOnly: [String!]) {
      ${field}(after: $after, sampledOnly: $sampledOnly) {
        kind
        cursor
        at
        events { eventId relation operation key transaction trace at row }
      }
    }
  `;
}
