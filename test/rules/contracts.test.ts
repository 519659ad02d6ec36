/** What the contracts promise together: a domain that is away blanks a field, never the page. */
import {
  type FieldDefinitionNode,
  type ObjectTypeDefinitionNode,
  type ObjectTypeExtensionNode,
  parse,
  type TypeNode,
} from 'graphql';
import { describe, expect, it } from 'vitest';
import type { Domain } from '../../platform/domains.ts';
import { readTypeDefs } from '../../platform/subgraph.ts';
import { subgraphs } from '../../subgraphs/all.ts';

const OWNERS: Record<string, Domain> = {
  Instrument: 'market-data',
  Asset: 'market-data',
  Venue: 'market-data',
  Client: 'exchange',
  ExchangeAccount: 'exchange',
  ExchangeOrder: 'exchange',
  ExchangeTrade: 'exchange',
  ExchangeBalance: 'exchange',
  Strategy: 'trading',
  TradingOrder: 'trading',
  TradingTrade: 'trading',
  TradingPosition: 'trading',
  QuarantinedFill: 'trading',
  Portfolio: 'trading',
  CustodyAccount: 'custodian',
  CustodyPosition: 'custodian',
  CustodyBalance: 'custodian',
  ManagedTrade: 'trading',
  Settlement: 'custodian',
  Transfer: 'custodian',
  ApprovalRequest: 'custodian',
  ReconciliationRun: 'custodian',
  ReconciliationBreak: 'custodian',
  RiskLimit: 'risk',
  RiskAlert: 'risk',
  ComplianceReport: 'risk',
  RiskBreach: 'risk',
  RiskMetric: 'risk',
  PositionSnapshot: 'risk',
  ServiceInstance: 'registry',
  Scenario: 'test-coordination',
  TestRun: 'test-coordination',
  TestResult: 'test-coordination',
  ChaosEvent: 'test-coordination',
  AuditEvent: 'audit',
  AuditCorrelation: 'audit',
  AuditReport: 'audit',
  ScenarioValidation: 'audit',
  Trace: 'audit',
};

type ObjectNode = ObjectTypeDefinitionNode | ObjectTypeExtensionNode;

const types = subgraphs.flatMap((definition) =>
  parse(readTypeDefs(definition)).definitions.flatMap((node) =>
    node.kind === 'ObjectTypeDefinition' || node.kind === 'ObjectTypeExtension'
      ? [{ domain: definition.name, node }]
      : [],
  ),
);

const keysOf = (node: ObjectNode) =>
  (node.directives ?? [])
    .filter((directive) => directive.name.value === 'key')
    .flatMap((directive) => directive.arguments ?? [])
    .flatMap(({ name, value }) =>
      name.value === 'fields' && value.kind === 'StringValue' ? value.value.split(/\W+/) : [],
    );

function namedType(type: TypeNode): string {
  return type.kind === 'NamedType' ? type.name.value : namedType(type.type);
}

const fieldsThat = (matches: (domain: Domain, type: ObjectNode, field: FieldDefinitionNode) => boolean) =>
  types.flatMap(({ domain, node }) =>
    (node.fields ?? [])
      .filter((field) => matches(domain, node, field))
      .map((field) => `${domain}: ${node.name.value}.${field.name.value}`),
  );

const isRequired = (field: FieldDefinitionNode) => field.type.kind === 'NonNullType';

describe('the contracts', () => {
  it('give every entity one owner', () => {
    const entities = types.filter(({ node }) => keysOf(node).length > 0);
    expect(new Set(entities.map(({ node }) => node.name.value))).toEqual(new Set(Object.keys(OWNERS)));
  });

  it('let every question of the whole graph be answered with null', () => {
    expect(fieldsThat((_, type, field) => type.name.value === 'Query' && isRequired(field))).toEqual([]);
  });

  it('let every field that a domain adds to the entity of another be null', () => {
    const added = (domain: Domain, type: ObjectNode, field: FieldDefinitionNode) => {
      const owner = OWNERS[type.name.value];
      const isItsOwners = (field.directives ?? []).some(({ name }) => name.value === 'external');
      return owner !== undefined && owner !== domain && !isItsOwners && !keysOf(type).includes(field.name.value);
    };
    expect(fieldsThat(added).length).toBeGreaterThan(0);
    expect(fieldsThat((domain, type, field) => added(domain, type, field) && isRequired(field))).toEqual([]);
  });

  it('say of every field that is not for everybody whom it is for', () => {
    const rolesOf = ({ directives = [] }: FieldDefinitionNode) =>
      directives
        .filter(({ name }) => name.value === 'access')
        .flatMap((directive) => directive.arguments ?? [])
        .flatMap(({ value }) => (value.kind === 'ListValue' ? value.values : []))
        .flatMap((value) => (value.kind === 'StringValue' ? [`${value.value}s`] : []));
    const namedIn = ({ description }: FieldDefinitionNode) =>
      /\b((?:(?:administrators|auditors|testers)(?:, | and )?)+) only\./i
        .exec(description?.value ?? '')?.[1]
        ?.toLowerCase()
        .split(/, | and /) ?? [];
    expect(fieldsThat((_domain, _type, field) => rolesOf(field).length > 0).length).toBeGreaterThan(0);
    expect(
      fieldsThat((_domain, _type, field) => rolesOf(field).sort().join() !== namedIn(field).sort().join()),
    ).toEqual([]);
  });

  it('let every pointer into another domain be null', () => {
    const points = (domain: Domain, field: FieldDefinitionNode) => {
      const owner = OWNERS[namedType(field.type)];
      return owner !== undefined && owner !== domain;
    };
    expect(fieldsThat((domain, _, field) => points(domain, field)).length).toBeGreaterThan(0);
    expect(fieldsThat((domain, _, field) => points(domain, field) && isRequired(field))).toEqual([]);
  });
});
