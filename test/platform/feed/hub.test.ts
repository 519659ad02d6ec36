/** Where ticks arrive: who is offered what, what is kept for those who come back, and what a break of the feed means. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Hub } from '../../../platform/feed/hub.ts';
import { attach, change, opening, tick } from './parts.ts';

let hub: Hub;

beforeEach(() => {
  hub = new Hub();
  hub.start(opening(10, 100));
});

afterEach(() => hub.close());

/** Until it holds; the feed is heard of all the time. */
function whileAlive(holds: () => void): Promise<void> {
  const { snapshot, at } = opening(10, 100);
  const look = () => {
    hub.settle(snapshot, at);
    holds();
  };
  return vi.waitFor(look, { timeout: 30_000, interval: 5 });
}

describe('the hub', () => {
  it('offers changes in order, and each to those whom it concerns', () => {
    const every = attach(hub);
    const mine = attach(hub, { route: { field: 'accountId', values: ['a', 'b'] } });
    const others = attach(hub, { relation: 'orders' });
    const rows = [{ accountId: 'a' }, { accountId: 'c' }, { accountId: 'b' }];
    hub.accept(
      tick(
        11,
        100,
        110,
        rows.map((row, i) => change(i + 101, { row })),
      ),
    );
    hub.accept(tick(12, 110, 120, [change(111, { row: { accountId: 'c' }, was: { accountId: 'a' } })]));
    hub.accept(tick(13, 120, 130, [change(121, { row: { accountId: 'a' }, was: { accountId: 'b' } })]));
    expect(every.heard).toEqual(['11.101', '11.102', '11.103', '12.111', '13.121']);
    expect(mine.heard).toEqual(['11.101', '11.103', '12.111', '13.121']);
    expect(others.heard).toEqual([]);
  });

  it('offers nothing to who has left', () => {
    const routed = attach(hub, { route: { field: 'accountId', values: ['a'] } });
    hub.detach(routed.listener);
    hub.accept(tick(11, 100, 110, [change(101, { row: { accountId: 'a' } })]));
    expect(routed.heard).toEqual([]);
    expect(hub.listenerCount).toBe(0);
  });

  it('tells its listeners when what comes does not join on, be it another epoch or a gap in this one', () => {
    const { heard } = attach(hub);
    hub.start({ ...opening(20, 200), epoch: 'f' });
    hub.start({ ...opening(5_000, 300), epoch: 'f' });
    expect(heard).toEqual(['reset', 'reset']);
    expect(hub.breaks).toBe(2);
  });

  it('lets each listener hear a few times a second that the feed is alive, and not all at once', async () => {
    const all = Array.from({ length: 1_000 }, () => attach(hub));
    const seen = new Set<number>();
    await whileAlive(() => {
      const count = all.filter(({ heard }) => heard.length > 0).length;
      seen.add(count);
      expect(count).toBe(all.length);
    });
    expect(seen.size).toBeGreaterThan(5);
  });

  it('goes on with those who are left when others leave while it tells them, and rests when nobody is', async () => {
    const first = attach(hub);
    for (let i = 0; i < 40; i++) {
      const { listener } = attach(hub);
      listener.beat = () => hub.detach(listener);
    }
    await whileAlive(() => expect(hub.listenerCount).toBe(1));
    const before = first.heard.length;
    await whileAlive(() => expect(first.heard.length).toBeGreaterThan(before + 1));
    hub.detach(first.listener);
    const late = attach(hub);
    await whileAlive(() => expect(late.heard).toContain('beat'));
  });

  it('ends its listeners when it is closed', () => {
    const { heard } = attach(hub);
    hub.close();
    expect(heard).toEqual(['end']);
  });

  it('says whether the feed is reached, and lets nobody wait for longer than he will', async () => {
    expect(await hub.reached(0)).toBe(true);
    hub.interrupt();
    expect(await hub.reached(5)).toBe(false);
    const waits = hub.reached(60_000);
    hub.accept(opening(2_000, 100));
    expect(await waits).toBe(true);
    hub.interrupt();
    const closed = hub.reached(60_000);
    hub.close();
    expect(await closed).toBe(false);
  });
});

describe('what the hub keeps', () => {
  const ticksOf = (place: { tick: number; position?: number }) => hub.since(place)?.map((part) => part.tick) ?? null;

  it('is what followed a place that it knows', () => {
    hub.accept(tick(11, 100, 110, [change(101), change(102)]));
    hub.accept(tick(12, 110, 120, [change(111)]));
    expect(ticksOf({ tick: 10 })).toEqual([11, 12]);
    expect(ticksOf({ tick: 11, position: 101 })).toEqual([11, 12]);
    expect(ticksOf({ tick: 11 })).toEqual([11, 12]);
    expect(ticksOf({ tick: 12 })).toEqual([12]);
  });

  it('is nothing for a place before its begin, after its end, or in between that was no tick', () => {
    hub.accept(tick(2_011, 100, 110, [change(101)]));
    expect(ticksOf({ tick: 9 })).toBeNull();
    expect(ticksOf({ tick: 10, position: 3 })).toBeNull();
    expect(ticksOf({ tick: 15 })).toBeNull();
    expect(ticksOf({ tick: 2_012 })).toBeNull();
  });

  it('is bounded, and goes back to the first place behind which all is there', () => {
    const many = (id: number) =>
      tick(
        id,
        id * 10_000,
        id * 10_000 + 9_999,
        Array.from({ length: 9_000 }, (_, i) => change(id * 10_000 + i)),
      );
    for (const id of [11, 12, 13]) hub.accept(many(id));
    expect(ticksOf({ tick: 10 })).toBeNull();
    expect(ticksOf({ tick: 11, position: 118_000 })).toBeNull();
    expect(ticksOf({ tick: 11 })).toEqual([12, 13]);
  });
});

describe('ticks that a crash of PostgreSQL has lost', () => {
  it('are not told twice when their changes come again', () => {
    const { heard } = attach(hub);
    hub.accept(tick(11, 100, 110, [change(101)]));
    hub.accept(tick(12, 110, 120, [change(111), change(112)])); // lost
    hub.accept(opening(3_000, 110));
    hub.accept(tick(3_001, 110, 125, [change(111), change(112), change(121)]));
    expect(heard).toEqual(['11.101', '12.111', '12.112', '3001.121']);
  });

  it('do not hide what another transaction of the same number changes', () => {
    const { heard } = attach(hub);
    hub.accept(tick(11, 100, 110, [change(101)]));
    hub.settle(tick(0, 0, 115).snapshot, '2026-01-01T00:00:01Z'); // numbers up to 114 were given, and are lost
    hub.accept(opening(3_000, 110));
    hub.accept(tick(3_001, 110, 113, [change(111, { xid: 112 })]));
    expect(heard).toEqual(['11.101', '3001.111']);
    expect(hub.snapshot?.text).toBe('113:113:');
  });

  it('are told once though only a part of the last had come', () => {
    const { heard } = attach(hub);
    hub.accept({ ...tick(11, 100, 110, [change(101), change(102)]), isLast: false });
    hub.accept(opening(3_000, 100));
    hub.accept(tick(3_001, 100, 110, [change(101), change(102), change(103)]));
    expect(heard).toEqual(['11.101', '11.102', '3001.103']);
  });
});
