/** Bells that ring when an account that is linked has traded, or is newly linked. The trades are then read. */
import { sql } from '../../../platform/database/sql.ts';
import type { Listener } from '../../../platform/feed/hub.ts';
import { follow } from '../../../platform/following.ts';
import type { ServiceParts } from '../../../platform/subgraph.ts';
import { EXCHANGE_VENUE } from '../accounts.ts';

const BELL = /* GraphQL */ `
  subscription TradeBell($accountId: ID!, $after: String) {
    exchangeTradeChanges(accountId: $accountId, after: $after) { kind cursor }
  }
`;

interface Bell {
  kind: string;
}

/** Accounts that are listened to; trades of others are found by looking now and then. */
const BELLS_LIMIT = 100;

export class TradeBells {
  private readonly parts: Pick<ServiceParts, 'db' | 'graph' | 'feed' | 'log'>;
  private readonly listening = new Map<string, AbortController>();
  private wasRung = false;
  private wake: (() => void) | null = null;
  private isStopped = false;
  private readonly links: Listener;

  constructor(parts: Pick<ServiceParts, 'db' | 'graph' | 'feed' | 'log'>) {
    this.parts = parts;
    this.links = {
      relation: 'account_links',
      offer: () => this.ring(),
      settle: () => undefined,
      beat: () => undefined,
      reset: () => this.ring(),
    };
    parts.feed.hub.attach(this.links);
  }

  /** Listens to the accounts that are linked now, and no longer to those that are not. */
  async listen(): Promise<void> {
    const links = await this.parts.db.query<{ venueAccountId: string }>(
      sql`select venue_account_id from account_links where venue_id = ${EXCHANGE_VENUE}
           order by created_at limit ${BELLS_LIMIT}`,
    );
    const wanted = new Set(links.map(({ venueAccountId }) => venueAccountId));
    for (const [accountId, controller] of this.listening) {
      if (!wanted.has(accountId)) controller.abort();
    }
    for (const accountId of wanted) {
      if (!this.listening.has(accountId) && !this.isStopped) void this.follow(accountId);
    }
  }

  /** Whether one has rung since this was asked last. */
  hasRung(): boolean {
    const { wasRung } = this;
    this.wasRung = false;
    return wasRung;
  }

  /** Resolves at the next ring, at once after one that nobody has heard. */
  ringing(): Promise<void> {
    if (this.wasRung || this.isStopped) return Promise.resolve();
    return new Promise((resolve) => {
      this.wake = resolve;
    });
  }

  stop(): void {
    this.isStopped = true;
    this.parts.feed.hub.detach(this.links);
    for (const controller of this.listening.values()) controller.abort();
    this.wake?.();
  }

  private ring(): void {
    this.wasRung = true;
    this.wake?.();
    this.wake = null;
  }

  /** The first PROGRESS rings as well: what was traded before the bell hung is looked for. */
  private async follow(accountId: string): Promise<void> {
    const controller = new AbortController();
    this.listening.set(accountId, controller);
    let hangs = false;
    const bell = {
      document: BELL,
      field: 'exchangeTradeChanges',
      variables: () => ({ accountId }),
      begin: () => {
        hangs = false;
      },
      take: ({ kind }: Bell) => {
        if (kind === 'UPSERT' || kind === 'RESYNC' || (kind === 'PROGRESS' && !hangs)) this.ring();
        hangs ||= kind === 'PROGRESS';
      },
    };
    await follow(this.parts, bell, controller.signal);
    this.listening.delete(accountId);
  }
}
