/** Waiting a little for what comes of a cancellation that was asked for. */
import { sql } from '../../../platform/database/sql.ts';
import type { Listener } from '../../../platform/feed/hub.ts';
import type { ServiceParts } from '../../../platform/subgraph.ts';
import { ORDER_TRANSITIONS, type OrderStatus } from '../rules/order-lifecycle.ts';

export interface Settling {
  /** Resolves once the order has ended, once it is known that the exchange cannot be asked now, or after 2 seconds. */
  wait(): Promise<void>;
  leave(): void;
}

const PATIENCE_MS = 2_000; // 2 seconds

interface State {
  status: OrderStatus;
  lastError: string | null;
}

const isSettled = ({ status, lastError }: State) => ORDER_TRANSITIONS[status].length === 0 || lastError !== null;

/** Watches the order from now on, so that nothing is missed between a command's commit and the wait for what follows. */
export function settlingOf({ db, feed }: Pick<ServiceParts, 'db' | 'feed'>, orderId: string): Settling {
  let settle = () => {};
  const settled = new Promise<void>((resolve) => {
    settle = resolve;
  });
  const listener: Listener = {
    relation: 'orders',
    offer({ key, row }) {
      const state = row as unknown as State & { cancelRequestedAt: string | null };
      const isOver = ORDER_TRANSITIONS[state.status].length === 0;
      if (key === orderId && (isOver || (state.cancelRequestedAt !== null && isSettled(state)))) settle();
    },
    settle: () => undefined,
    beat: () => undefined,
    reset: () => undefined,
  };
  feed.hub.attach(listener);
  return {
    async wait() {
      const now = await db.one<State>(sql`select status, last_error from orders where order_id = ${orderId}`);
      if (!now || isSettled(now)) return;
      let timer: NodeJS.Timeout | undefined;
      const patience = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, PATIENCE_MS);
      });
      await Promise.race([settled, patience]);
      clearTimeout(timer);
    },
    leave: () => feed.hub.detach(listener),
  };
}
