import type { GatewayPlugin } from '@graphql-hive/gateway-runtime';
import { getOperationAST, OperationTypeNode } from 'graphql';
import { callerFault } from '../errors.ts';
import { operationContext } from '../runtime.ts';

/** Refuses commands in requests that must not change anything: a GET can be sent by a link or an image of any page. */
export function useReadOnly(): GatewayPlugin {
  return {
    onExecute({ args, context }) {
      if (!operationContext(context).isReadOnly) return;
      const operation = getOperationAST(args.document, args.operationName);
      if (operation?.operation !== OperationTypeNode.MUTATION) return;
      throw callerFault('A mutation is sent by POST; GET is for queries.', 'BAD_REQUEST', { status: 405 });
    },
  };
}
