import { clientAccounts, clientOf } from '../accounts.ts';
import type { ClientResolvers } from '../generated/resolvers.ts';

export const Client: ClientResolvers = {
  __resolveReference: ({ clientId }, context) => clientOf(context, clientId),
  accounts: ({ clientId }, _, context) => context.list(clientAccounts, clientId),
};
