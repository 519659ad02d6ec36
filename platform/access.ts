/**
 * Who may use what is not for everybody. A contract marks such fields with `@access(to: [...])`; a caller shows its
 * roles by a signed token (a JWT) in the header `authorization: Bearer <token>`, in the claim `roles`.
 */
import { defaultFieldResolver, type GraphQLField, type GraphQLSchema, getDirectiveValues, isObjectType } from 'graphql';
import { createRemoteJWKSet, errors, type JWTPayload, type JWTVerifyOptions, jwtVerify, SignJWT } from 'jose';
import { forbidden, unauthenticated } from './errors.ts';
import type { Authorization } from './graph-client.ts';

/** What a token may say that its bearer is. */
export const ROLES = ['administrator', 'auditor', 'tester'] as const;
export type Role = (typeof ROLES)[number];
export type Roles = ReadonlySet<Role>;

export interface Access {
  /**
   * The roles of whoever sent this header; null without one.
   * @throws GraphQLError UNAUTHENTICATED when its token is not trusted, or has expired
   */
  rolesOf(authorization: string | undefined): Promise<Roles | null>;
}

export interface AccessSettings {
  /** Secret that tokens are signed with (HS256), at least 32 bytes. */
  secret?: string | undefined;
  /** Where the issuer of tokens publishes its keys (a JSON Web Key Set), instead of a secret. */
  keysUrl?: string | undefined;
  /** Who must have issued a token; anybody when it is left out. */
  issuer?: string | undefined;
  /** For whom it must have been issued. */
  audience?: string | undefined;
}

/** Everybody may do everything: for a machine of one's own. */
export const OPEN_ACCESS: Access = { rolesOf: async () => new Set(ROLES) };

const BEARER = /^bearer +(\S+)$/i;

/** Access by token; open when neither a secret nor keys are given. */
export function createAccess({ secret, keysUrl, issuer, audience }: AccessSettings): Access {
  const options: JWTVerifyOptions = {
    requiredClaims: ['exp'],
    clockTolerance: 5, // seconds
    ...(issuer !== undefined && { issuer }),
    ...(audience !== undefined && { audience }),
  };
  const verify = verifierOf({ secret, keysUrl }, options);
  if (!verify) return OPEN_ACCESS;
  return {
    async rolesOf(authorization) {
      if (authorization === undefined) return null;
      const token = BEARER.exec(authorization)?.[1];
      if (token === undefined) throw unauthenticated('The authorization header must be "Bearer <token>".');
      try {
        return rolesIn(await verify(token));
      } catch (error) {
        throw untrusted(error);
      }
    },
  };
}

/** Seconds for which a token that a process signs for itself is good, and after which it signs another. */
const OWN_TOKEN_SECONDS = 3_600; // an hour
const OWN_TOKEN_RENEWAL_MS = 1_800_000; // half an hour

/**
 * What this graph's own services show of themselves when one domain asks another: the token that was given for them, or
 * one that they sign where the secret is known. Nothing where neither is.
 */
export function serviceAuthorization(settings: AccessSettings & { serviceToken?: string | undefined }): Authorization {
  const { serviceToken, secret, issuer, audience } = settings;
  if (serviceToken !== undefined) return async () => `Bearer ${serviceToken}`;
  if (secret === undefined) return async () => undefined;
  let signed: Promise<string> | undefined;
  let signedAt = 0;
  return async () => {
    if (!signed || Date.now() - signedAt > OWN_TOKEN_RENEWAL_MS) {
      signedAt = Date.now();
      signed = signToken({ secret, issuer, audience }, { roles: ROLES, seconds: OWN_TOKEN_SECONDS });
    }
    return `Bearer ${await signed}`;
  };
}

/** A token with these roles, good for so many seconds. */
export function signToken(
  { secret, issuer, audience }: Pick<AccessSettings, 'issuer' | 'audience'> & { secret: string },
  { roles, seconds, subject }: { roles: readonly string[]; seconds: number; subject?: string | undefined },
): Promise<string> {
  const token = new SignJWT({ roles })
    .setProtectedHeader({ alg: 'HS256' })
    .setIssuedAt()
    .setExpirationTime(Math.ceil(Date.now() / 1_000 + seconds));
  if (subject !== undefined) token.setSubject(subject);
  if (issuer !== undefined) token.setIssuer(issuer);
  if (audience !== undefined) token.setAudience(audience);
  return token.sign(new TextEncoder().encode(secret));
}

type Verifier = (token: string) => Promise<JWTPayload>;

function verifierOf(keys: Pick<AccessSettings, 'secret' | 'keysUrl'>, options: JWTVerifyOptions): Verifier | undefined {
  if (keys.secret !== undefined) {
    const secret = new TextEncoder().encode(keys.secret);
    return async (token) => (await jwtVerify(token, secret, { ...options, algorithms: ['HS256'] })).payload;
  }
  if (keys.keysUrl !== undefined) {
    const published = createRemoteJWKSet(new URL(keys.keysUrl));
    return async (token) => (await jwtVerify(token, published, options)).payload;
  }
  return undefined;
}

function rolesIn({ roles }: JWTPayload): Roles {
  const named: unknown[] = Array.isArray(roles) ? roles : [];
  return new Set(ROLES.filter((role) => named.includes(role)));
}

function untrusted(error: unknown): unknown {
  if (error instanceof errors.JWTExpired) return unauthenticated('The token has expired: get a new one.');
  if (error instanceof errors.JWKSTimeout) return unauthenticated('The keys of its issuer cannot be read just now.');
  if (error instanceof errors.JOSEError) return unauthenticated(`The token is not trusted: ${error.message}.`);
  return error;
}

/** Who asks, as the guard of a field needs it. */
export interface Caller {
  /** The roles of the request, as `Access.rolesOf` tells them. */
  roles(): Promise<Roles | null>;
}

/** Puts a guard before every field that is marked with `@access`. */
export function guardFields(schema: GraphQLSchema): void {
  const directive = schema.getDirective('access');
  if (!directive) return;
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type)) continue;
    for (const field of Object.values(type.getFields())) {
      const marked = field.astNode && getDirectiveValues(directive, field.astNode);
      if (marked) guard(field, `${type.name}.${field.name}`, checked(marked.to as string[]));
    }
  }
}

function checked(names: readonly string[]): Role[] {
  const unknown = names.find((name) => !(ROLES as readonly string[]).includes(name));
  if (unknown !== undefined) throw new Error(`@access names "${unknown}"; roles are ${ROLES.join(', ')}`);
  return names as Role[];
}

function guard(field: GraphQLField<unknown, Caller>, name: string, allowed: readonly Role[]): void {
  const { resolve = defaultFieldResolver, subscribe } = field;
  field.resolve = async (source, args, caller, info) => {
    await assertAllowed(caller, name, allowed);
    return resolve(source, args, caller, info);
  };
  if (subscribe) {
    field.subscribe = async (source, args, caller, info) => {
      await assertAllowed(caller, name, allowed);
      return subscribe(source, args, caller, info);
    };
  }
}

/** @throws GraphQLError UNAUTHENTICATED or FORBIDDEN, naming what is asked for, when the caller has none of the roles */
export async function assertAllowed(caller: Caller, name: string, allowed: readonly Role[]): Promise<void> {
  const roles = await caller.roles();
  if (allowed.some((role) => roles?.has(role))) return;
  const message = `${name} is for callers whose token has the role ${allowed.join(' or ')}.`;
  throw roles === null ? unauthenticated(message) : forbidden(message);
}
