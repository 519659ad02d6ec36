/** What happens on a stage: who does what in which order is drawn, and so is whose turn it is at every step. */
import fc from 'fast-check';
import { IDS, PARENTS, type Write } from './model.ts';
import { type Read, Stage, type Step, type Tiers } from './stage.ts';

type LeaderAct = 'tick' | 'lose' | { succeed: number; isOtherDatabase: boolean };
type Fault = 'flush' | 'save' | 'restore' | { clear: number };

export interface Play {
  /** What each of other services' transactions writes. */
  writes: Write[][];
  commands: { at: number; writes: Write[]; isRefused: boolean }[];
  /** Commands that are a single statement each. */
  statements: { at: number; writes: Write[] }[];
  leader: LeaderAct[];
  /** Of each process: whether a part arrives, or it begins anew. */
  deliveries: ('deliver' | 'restart')[][];
  /** Readers, and what each reads one after the other. */
  readers: { at: number; reads: Read[] }[];
  faults: Fault[];
}

/** True now and then. */
const seldom = fc.nat(5).map((n) => n === 0);

const process = fc.integer({ min: 0, max: 2 });
const id = fc.constantFrom(...IDS);
const parent = fc.constantFrom(...PARENTS);

const write: fc.Arbitrary<Write> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ op: fc.constant('put' as const), id, parentId: parent }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('remove' as const), id }) },
);
const transaction = fc.array(write, { minLength: 1, maxLength: 2 });

const read: fc.Arbitrary<Read> = fc.oneof(
  fc.record({
    of: fc.constant('row' as const),
    keys: fc.uniqueArray(id, { minLength: 1 }),
    isAfterCommands: seldom,
  }),
  fc.record({
    of: fc.constant('list' as const),
    keys: fc.uniqueArray(parent, { minLength: 1 }),
    isAfterCommands: seldom,
  }),
);

const leaderAct: fc.Arbitrary<LeaderAct> = fc.oneof(
  { weight: 16, arbitrary: fc.constant('tick' as const) },
  { weight: 1, arbitrary: fc.constant('lose' as const) },
  { weight: 1, arbitrary: fc.record({ succeed: process, isOtherDatabase: fc.constantFrom(false, false, true) }) },
);

/** One in so many times a process begins anew: the last comes and goes, and knows of the past what Redis tells it. */
const RESTARTS = [12, 12, 2];

const deliveries = fc.tuple(
  ...RESTARTS.map((times) =>
    fc.array(
      fc.integer({ min: 1, max: times }).map((n) => (n === times ? 'restart' : 'deliver')),
      { maxLength: 6 },
    ),
  ),
);

const fault: fc.Arbitrary<Fault> = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom('save' as const, 'restore' as const) },
  { weight: 1, arbitrary: fc.constant('flush' as const) },
  { weight: 1, arbitrary: fc.record({ clear: process }) },
);

export const plays: fc.Arbitrary<Play> = fc.record(
  {
    writes: fc.array(transaction, { maxLength: 4 }),
    commands: fc.array(fc.record({ at: process, writes: transaction, isRefused: seldom }), { maxLength: 2 }),
    statements: fc.constant<Play['statements']>([]),
    leader: fc.array(leaderAct, { minLength: 1, maxLength: 8 }),
    deliveries,
    readers: fc.array(fc.record({ at: process, reads: fc.array(read, { minLength: 1, maxLength: 12 }) }), {
      minLength: 2,
      maxLength: 5,
    }),
    faults: seldom.chain((isFaulty) => fc.array(fault, { maxLength: isFaulty ? 3 : 0 })),
  },
  { noNullPrototype: true },
);

/** The same with statements in the process that keeps something itself. */
export const playsWithStatements: fc.Arbitrary<Play> = fc
  .tuple(plays, fc.array(transaction, { minLength: 2, maxLength: 4 }))
  .map(([play, statements]) => ({ ...play, statements: statements.map((writes) => ({ at: 0, writes })) }));

/** Plays it to its end on an empty Redis. */
export async function perform(play: Play, scheduler: fc.Scheduler, tiers: Tiers): Promise<Stage> {
  await tiers.redis.flushall('SYNC');
  const step: Step = async (label, work) => {
    const turn: { value?: unknown } = {};
    const builder = async () => {
      turn.value = await work();
    };
    await scheduler.scheduleSequence([{ label, builder }]).task;
    return turn.value as never;
  };
  const stage = new Stage(tiers, step);
  await untilIdle(scheduler, tiers); // the first leader has told Redis that it leads
  const actors = [
    inTurn(play.writes, (writes) => stage.write(writes)),
    ...play.commands.map(({ at, writes, isRefused }) => stage.command(at, writes, isRefused)),
    ...play.statements.map(({ at, writes }) => stage.statement(at, writes)),
    inTurn(play.leader, (act) => actAsLeader(stage, act)),
    ...play.deliveries.map((all, at) => inTurn(all, (each) => stage[each](at))),
    ...play.readers.map(({ at, reads }) => inTurn(reads, (each) => stage.read(at, each))),
    inTurn(play.faults, (each) => (typeof each === 'string' ? stage[each]() : stage.clear(each.clear))),
  ];
  await scheduler.waitFor(Promise.all(actors));
  await untilIdle(scheduler, tiers); // what is still on its way to Redis
  return stage;
}

/** Whatever waits for its turn has had it. What is to be applied in Redis comes to wait one after the other. */
async function untilIdle(scheduler: fc.Scheduler, { all }: Tiers): Promise<void> {
  await scheduler.waitFor(Promise.all(all.map((tier) => tier.settled())));
  while (scheduler.count() > 0) await scheduler.waitOne();
}

async function inTurn<Each>(all: readonly Each[], act: (each: Each) => Promise<void>): Promise<void> {
  for (const each of all) await act(each);
}

function actAsLeader(stage: Stage, act: LeaderAct): Promise<void> {
  if (act === 'tick') return stage.tick();
  if (act === 'lose') return stage.lose();
  return stage.succeed(act.succeed, act.isOtherDatabase);
}
