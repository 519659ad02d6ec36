// Lints the contracts (*.graphql); Biome does the TypeScript.
import graphql from '@graphql-eslint/eslint-plugin';

const schemas = ['platform/schema/*.graphql', 'subgraphs/**/*.graphql'];

export default [
  {
    files: schemas,
    languageOptions: { parser: graphql.parser },
    plugins: { '@graphql-eslint': graphql },
    rules: {
      '@graphql-eslint/no-hashtag-description': 'error',
      '@graphql-eslint/no-duplicate-fields': 'off',
      '@graphql-eslint/no-typename-prefix': 'off',
      '@graphql-eslint/require-description': [
        'error',
        {
          types: true,
          FieldDefinition: true,
          InputValueDefinition: true,
          EnumValueDefinition: true,
          DirectiveDefinition: true,
        },
      ],
      '@graphql-eslint/naming-convention': [
        'error',
        {
          types: 'PascalCase',
          FieldDefinition: 'camelCase',
          InputValueDefinition: 'camelCase',
          EnumValueDefinition: { style: 'UPPER_CASE' },
          'FieldDefinition[parent.name.value=Mutation]': {
            style: 'camelCase',
            forbiddenPrefixes: ['get', 'do', 'mutation'],
          },
        },
      ],
      '@graphql-eslint/unique-enum-value-names': 'error',
      '@graphql-eslint/no-root-type': 'off',
    },
  },
];
