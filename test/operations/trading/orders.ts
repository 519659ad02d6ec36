import type { Operation } from '../operation.ts';

export const orderOperations: Operation[] = [
  {
    repository: 'Orders',
    operation: 'create',
    fields: ['Mutation.placeOrder'],
    test: ['test/graph/trading/place-order.test.ts', 'records a pending order with all it was told'],
  },
  {
    repository: 'Orders',
    operation: 'get_by_id',
    fields: ['Query.tradingOrder'],
    test: ['test/graph/trading/reads.test.ts', 'finds %s'],
  },
  {
    repository: 'Orders',
    operation: 'update',
    fields: ['Mutation.submitOrder', 'Mutation.acceptOrder', 'Mutation.rejectOrder', 'Mutation.expireOrder'],
    test: ['test/graph/trading/lifecycles.test.ts', 'keeps the time of each step, its reason and its fills'],
  },
  {
    repository: 'Orders',
    operation: 'delete',
    fields: ['Mutation.archiveOrders'],
    test: [
      'test/graph/trading/archive.test.ts',
      'moves ended orders with their executions, in batches, and every total stays as it was',
    ],
  },
  {
    repository: 'Orders',
    operation: 'query',
    fields: ['Query.tradingOrders'],
    test: ['test/graph/trading/reads.test.ts', 'lists %s chosen by %j: %s'],
  },
  {
    repository: 'Orders',
    operation: 'get_by_strategy',
    fields: ['Strategy.orders'],
    test: ['test/graph/trading/reads.test.ts', 'costs one statement a kind of child, however many parents'],
  },
  {
    repository: 'Orders',
    operation: 'get_active_orders',
    fields: ['Query.activeOrders'],
    test: ['test/graph/trading/reads.test.ts', 'lists %s'],
  },
  {
    repository: 'Orders',
    operation: 'update_status',
    fields: [
      'Mutation.submitOrder',
      'Mutation.acceptOrder',
      'Mutation.rejectOrder',
      'Mutation.expireOrder',
      'Mutation.cancelOrder',
    ],
    test: ['test/graph/trading/lifecycles.test.ts', 'takes %s while it is %s, or refuses it'],
  },
  {
    repository: 'Orders',
    operation: 'update_fill',
    fields: ['Mutation.recordFill'],
    test: [
      'test/graph/trading/fills.test.ts',
      'fills an order in two halves: cumulative quantity, weighted average, filledAt only at the end',
    ],
  },
  {
    repository: 'Orders',
    operation: 'cancel_order',
    fields: ['Mutation.cancelOrder'],
    test: ['test/graph/trading/lifecycles.test.ts', 'keeps the time of each step, its reason and its fills'],
  },
  {
    repository: 'Orders',
    operation: 'get_by_exchange_order_id',
    fields: ['Query.orderByExchangeId'],
    test: [
      'test/graph/trading/lifecycles.test.ts',
      'is sent to one venue, one of the strategy’s, and known there by one id',
    ],
  },
  {
    repository: 'Orders',
    operation: 'get_orders_by_instrument',
    fields: ['Instrument.orders'],
    test: ['test/graph/trading/reads.test.ts', 'gives an instrument its positions, strategies, orders and trades'],
  },
  {
    repository: 'Orders',
    operation: 'get_pending_orders',
    fields: ['Query.tradingOrders'],
    test: ['test/graph/trading/reads.test.ts', 'lists %s chosen by %j: %s'],
  },
  {
    repository: 'Orders',
    operation: 'cleanup_old_orders',
    fields: ['Mutation.archiveOrders'],
    test: [
      'test/graph/trading/archive.test.ts',
      'moves ended orders with their executions, in batches, and every total stays as it was',
    ],
  },
];
