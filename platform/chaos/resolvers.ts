/** The resolvers of a domain's faults, the same in every contract that has them. */
import type { SubgraphContext } from '../context.ts';
import { type CamelCase, camelCaseOf, type PascalCase, pascalCaseOf } from '../domains.ts';
import {
  type ClearFaultsInput,
  clearFaults,
  type InjectFaultInput,
  injectFault,
  listFaults,
  type RenewFaultsInput,
  renewFaults,
} from './faults.ts';
import type { StruckDomain } from './kinds.ts';

type Context = SubgraphContext<unknown>;

const resolvers = {
  list: (_: unknown, args: { activeOnly: boolean; runId?: string | null | undefined }, context: Context) =>
    listFaults(context, args),
  inject: (_: unknown, { input }: { input: InjectFaultInput }, context: Context) => injectFault(context, input),
  renew: (_: unknown, { input }: { input: RenewFaultsInput }, context: Context) => renewFaults(context, input),
  clear: (_: unknown, { input }: { input: ClearFaultsInput }, context: Context) => clearFaults(context, input),
};

export interface ChaosResolvers<Name extends StruckDomain> {
  Query: Record<`${CamelCase<Name>}Faults`, typeof resolvers.list>;
  Mutation: Record<`inject${PascalCase<Name>}Fault`, typeof resolvers.inject> &
    Record<`renew${PascalCase<Name>}Faults`, typeof resolvers.renew> &
    Record<`clear${PascalCase<Name>}Faults`, typeof resolvers.clear>;
}

/** `<domain>Faults`, `inject<Domain>Fault`, `renew<Domain>Faults` and `clear<Domain>Faults` of that domain. */
export function chaosResolvers<Name extends StruckDomain>(domain: Name): ChaosResolvers<Name> {
  const [pascal, camel] = [pascalCaseOf(domain), camelCaseOf(domain)];
  return {
    Query: { [`${camel}Faults`]: resolvers.list },
    Mutation: {
      [`inject${pascal}Fault`]: resolvers.inject,
      [`renew${pascal}Faults`]: resolvers.renew,
      [`clear${pascal}Faults`]: resolvers.clear,
    },
  } as unknown as ChaosResolvers<Name>;
}
