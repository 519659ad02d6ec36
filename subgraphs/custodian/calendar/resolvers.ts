import type { MutationResolvers, QueryResolvers, Resolvers } from '../generated/resolvers.ts';
import { expectedSettlement, isBusinessDay, RAILS, regionsOf } from './business-days.ts';
import { businessDay, businessDays, dateOf, readCalendars, setBusinessDay } from './calendars.ts';

export const calendarQueries = {
  businessDays: (_, args, context) => businessDays(context, args),
  isBusinessDay: async (_, { date, regions }, context) =>
    isBusinessDay(dateOf(date, 'date'), regions ?? ['US_NY'], await readCalendars(context)),
  settlementDate: async (_, { rail, at, jurisdictions }, context) => {
    const from = at ? new Date(at) : context.now();
    const expected = expectedSettlement(rail, from, regionsOf(jurisdictions ?? []), await readCalendars(context));
    const { dueAt, deadlineAt, ...rest } = expected;
    return { ...rest, rail, dueAt: dueAt.toISOString(), deadlineAt: deadlineAt.toISOString() };
  },
  settlementRails: () =>
    Object.entries(RAILS).map(([rail, { cycle, days, cutOff }]) => ({
      rail: rail as keyof typeof RAILS,
      cycle,
      days,
      cutOff,
    })),
} satisfies QueryResolvers;

export const calendarMutations = {
  setBusinessDay: (_, { input }, context) => setBusinessDay(context, input),
} satisfies MutationResolvers;

export const calendarResolvers = {
  SetBusinessDayPayload: {
    businessDay: ({ region, date }, _, context) =>
      region === undefined || date === undefined ? null : businessDay(context, region, date),
  },
} satisfies Resolvers;
