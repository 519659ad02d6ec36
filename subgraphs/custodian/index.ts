/** The custodian subgraph: what is kept for whom, and how it is settled, approved and reconciled. */
import { contractIn } from '../../platform/contract.ts';
import { defineSubgraph } from '../../platform/subgraph.ts';
import { PrismaClient } from '../../prisma/custodian/generated/client.ts';
import type { Resolvers } from './generated/resolvers.ts';
import { Mutation } from './resolvers/Mutation.ts';
import { Query } from './resolvers/Query.ts';

const resolvers: Resolvers = { Query, Mutation };

export const custodian = defineSubgraph({
  name: 'custodian',
  typeDefs: contractIn(new URL('./', import.meta.url)),
  resolvers,
  createPrisma: (adapter) => new PrismaClient({ adapter }),
});
