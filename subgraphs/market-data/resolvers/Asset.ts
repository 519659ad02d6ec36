import { assets } from '../assets.ts';
import { shownKind } from '../enums.ts';
import type { AssetResolvers } from '../generated/resolvers.ts';
import { BY_SYMBOL, instrumentList } from '../instruments.ts';

export const Asset: AssetResolvers = {
  __resolveReference: ({ code }, context) => context.load(assets, code),
  kind: ({ kind }) => kind && shownKind(kind),
  instrumentsAsBase: ({ code }, page, context) =>
    context.connectChildren(instrumentList, 'base_currency', code, { ...page, ...BY_SYMBOL }),
  instrumentsAsQuote: ({ code }, page, context) =>
    context.connectChildren(instrumentList, 'quote_currency', code, { ...page, ...BY_SYMBOL }),
};
