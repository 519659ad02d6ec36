/** The resolvers of a domain's faults, the same in every contract that has them. */
import type { SubgraphContext } from '../context.ts';
import { pascalCase, type StruckDomain } from './fault.ts';
import {
  type ClearFaultsInput,
  clearFaults,
  type InjectFaultInput,
  injectFault,
  listFaults,
  type RenewFaultsInput,
  renewFaults,
} from './faults.ts';

type Context = SubgraphContext<unknown>;

const resolvers = {
  list: (_: unknown, args: { activeOnly: boolean; runId?: string | null | undefined }, context: Context) =>
    listFaults(context, args),
  inject: (_: unknown, { input }: { input: InjectFaultInput }, context: Context) => injectFault(context, input),
  renew: (_: unknown, { input }: { input: RenewFaultsInput }, context: Context) => renewFaults(context, input),
  clear: (_: unknown, { input }: { input: ClearFaultsInput }, context: Context) => clearFaults(context, input),
};

type Camel<Name extends string> = Name extends `${infer Head}-${infer Tail}`
  ? `${Head}${Capitalize<Camel<Tail>>}`
  : Name;
type Pascal<Name extends string> = Capitalize<Camel<Name>>;

export interface ChaosResolvers<Name extends StruckDomain> {
  Query: Record<`${Camel<Name>}Faults`, typeof resolvers.list>;
  Mutation: Record<`inject${Pascal<Name>}Fault`, typeof resolvers.inject> &
    Record<`renew${Pascal<Name>}Faults`, typeof resolvers.renew> &
    Record<`clear${Pascal<Name>}Faults`, typeof resolvers.clear>;
}

/** `<domain>Faults`, `inject<Domain>Fault`, `renew<Domain>Faults` and `clear<Domain>Faults` of that domain. */
export function chaosResolvers<Name extends StruckDomain>(domain: Name): ChaosResolvers<Name> {
  const pascal = pascalCase(domain);
  const camel = `${pascal.slice(0, 1).toLowerCase()}${pascal.slice(1)}`;
  return {
    Query: { [`${camel}Faults`]: resolvers.list },
    Mutation: {
      [`inject${pascal}Fault`]: resolvers.inject,
      [`renew${pascal}Faults`]: resolvers.renew,
      [`clear${pascal}Faults`]: resolvers.clear,
    },
  } as unknown as ChaosResolvers<Name>;
}
