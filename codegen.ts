/** How resolver types are made from a subgraph's contract; scripts/generate.ts runs it. */
import { fileURLToPath } from 'node:url';
import type { CodegenConfig } from '@graphql-codegen/cli';
import { COMMON_CONTRACT, contractIn } from './platform/contract.ts';
import type { Domain } from './platform/domains.ts';

/** What resolvers of types in platform/schema hand on. Paths are relative to generated/. */
const COMMON_MAPPERS = {
  InjectFaultPayload: '../../../platform/chaos/faults.ts#FaultPayload',
  RenewFaultsPayload: '../../../platform/chaos/faults.ts#FaultsPayload',
  ClearFaultsPayload: '../../../platform/chaos/faults.ts#FaultsPayload',
};

/** Types of the resolvers of one domain; `subgraphs/<domain>/mappers.ts` ties GraphQL types to rows. */
export async function codegenFor(domain: Domain): Promise<CodegenConfig> {
  const folder = `subgraphs/${domain}`;
  const url = new URL(`${folder}/`, import.meta.url);
  const { mappers } = (await import(`./${folder}/mappers.ts`)) as { mappers: Record<string, string> };
  return {
    schema: [...COMMON_CONTRACT, ...contractIn(url)].map((file) => fileURLToPath(file)),
    generates: {
      [`${folder}/generated/resolvers.ts`]: {
        plugins: ['typescript', 'typescript-resolvers'],
        config: {
          federation: true,
          useTypeImports: true,
          enumType: 'string-literal',
          enumsAsTypes: true,
          contextType: '../context.ts#Context',
          mappers: { ...COMMON_MAPPERS, ...mappers },
          scalars: {
            ID: 'string',
            Decimal: 'string',
            DateTime: 'string',
            JSON: 'Record<string, unknown>',
          },
          maybeValue: 'T | null | undefined',
          inputMaybeValue: 'T | null | undefined',
          defaultScalarType: 'unknown',
          avoidOptionals: { field: true },
          resolverTypeWrapperSignature: 'T | Promise<T>',
        },
      },
    },
  };
}
