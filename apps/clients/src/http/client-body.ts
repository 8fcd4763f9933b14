import { assertRedirectUri, fapi2Violation, jwtBearerGrantType, profiles } from '@grantlog/oauth'
import { line } from '@grantlog/platform'
import { z } from 'zod'
import type { Registration } from '../domain/client.js'
import { detailsType } from './api-body.js'
import { audience } from './audience.js'
import { proofBody, readProof, shownProof } from './client-proof.js'
import { newClientId } from './new-client-id.js'
import { pointing, readScopes } from './read-scopes.js'
import { readTrustedIssuers, shownTrustedIssuers, trustedIssuers } from './trusted-issuers.js'
import { unique, wrong } from './wrong-member.js'

const tokenExchange = 'urn:ietf:params:oauth:grant-type:token-exchange'
const deviceCode = 'urn:ietf:params:oauth:grant-type:device_code'
const grantType = z.enum([
  'authorization_code',
  'refresh_token',
  'client_credentials',
  tokenExchange,
  deviceCode,
  jwtBearerGrantType,
])

/** What a client may do by token exchange (RFC 8693). The members are ours: no RFC names any. */
const exchangePolicy = z.strictObject({
  rules: z
    .array(
      z.strictObject({
        from: audience,
        to: audience,
        scope: z.string().min(1).max(2000),
        subject_scope: z.string().max(2000).default(''),
      }),
    )
    .max(50)
    .default([]),
  impersonate: z.boolean().default(false),
})

/** RFC 7591 §2 */
export const clientBody = z.object({
  client_name: line(80),
  client_uri: z
    .url({ protocol: /^https?$/ })
    .max(512)
    .optional(),
  redirect_uris: z.array(z.string()).max(20).default([]),
  grant_types: z.array(grantType).min(1).max(grantType.options.length).default(['authorization_code']),
  ...proofBody,
  profile: z.enum(profiles).optional(),
  scope: z.string().max(2000),
  authorization_details_types: z.array(detailsType).min(1).max(50).optional(),
  token_exchange: exchangePolicy.optional(),
  jwt_bearer: trustedIssuers.optional(),
})
export const newClient = clientBody.extend({ client_id: newClientId.optional() })

/** What the members mean together. @throws Problem 400 that points at the member */
export function readRegistration(clientId: string, body: z.infer<typeof clientBody>): Registration {
  const { redirect_uris, grant_types, scope } = body
  const proof = readProof(body)
  const confidential = proof.tokenEndpointAuthMethod !== 'none'
  const redirectUris = unique('/redirect_uris', redirect_uris)
  for (const [index, uri] of redirectUris.entries()) {
    pointing(`/redirect_uris/${index}`, () => assertRedirectUri(uri, { confidential }))
  }
  const grantTypes = unique('/grant_types', grant_types)
  const redirects = grantTypes.includes('authorization_code')
  if (redirects && redirectUris.length === 0)
    throw wrong('/redirect_uris', 'authorization_code needs at least one redirect URI')
  if (!redirects && redirectUris.length > 0)
    throw wrong('/redirect_uris', 'only authorization_code uses redirect URIs')
  if (grantTypes.includes('refresh_token') && !redirects && !grantTypes.includes(deviceCode))
    throw wrong('/grant_types', 'refresh_token needs authorization_code or device_code beside it')
  // RFC 6749 §4.4: "The client credentials grant type MUST only be used by confidential clients."
  if (grantTypes.includes('client_credentials') && !confidential)
    throw wrong('/grant_types', 'client_credentials is only for clients that authenticate')
  const exchanges = grantTypes.includes(tokenExchange)
  if (exchanges && !confidential)
    throw wrong('/grant_types', 'token-exchange is only for clients that authenticate')
  if (!exchanges && body.token_exchange !== undefined)
    throw wrong('/token_exchange', 'only the grant type token-exchange uses it')
  const asserts = grantTypes.includes(jwtBearerGrantType)
  if (asserts && !confidential)
    throw wrong('/grant_types', 'jwt-bearer is only for clients that authenticate')
  if (asserts !== (body.jwt_bearer !== undefined))
    throw wrong('/jwt_bearer', 'and the grant type jwt-bearer belong together')
  return {
    clientId,
    name: body.client_name,
    homepage: body.client_uri ?? null,
    redirectUris,
    grantTypes,
    ...proof,
    ...readProfile(body),
    scopes: readScopes('/scope', scope),
    ...(body.authorization_details_types && {
      authorizationDetailsTypes: unique('/authorization_details_types', body.authorization_details_types),
    }),
    ...(exchanges && { tokenExchange: readExchangePolicy(body.token_exchange) }),
    ...(body.jwt_bearer && { jwtBearer: readTrustedIssuers(body.jwt_bearer) }),
  }
}

/** What its profile makes of a registration. */
function readProfile(
  body: z.infer<typeof clientBody>,
): Partial<Pick<Registration, 'profile' | 'requirePushedRequests'>> {
  if (body.profile === undefined) return {}
  const violation = fapi2Violation(body)
  if (violation !== undefined) throw wrong(violation.pointer, violation.why)
  return { profile: body.profile, requirePushedRequests: true } // FAPI 2.0 §5.3.2.2-3
}

type ExchangePolicy = NonNullable<Registration['tokenExchange']>

function readExchangePolicy({ rules, impersonate } = exchangePolicy.parse({})): ExchangePolicy {
  const read = rules.map(({ from, to, scope, subject_scope }, index) => ({
    from,
    to,
    scopes: readScopes(`/token_exchange/rules/${index}/scope`, scope),
    subjectScopes: readScopes(`/token_exchange/rules/${index}/subject_scope`, subject_scope),
  }))
  unique(
    '/token_exchange/rules',
    read.map(rule => JSON.stringify(rule)),
  )
  return { rules: read, impersonate }
}

function shownExchangePolicy({ rules, impersonate }: ExchangePolicy) {
  return {
    rules: rules.map(({ from, to, scopes, subjectScopes }) => ({
      from,
      to,
      scope: scopes.join(' '),
      subject_scope: subjectScopes.join(' '),
    })),
    impersonate,
  }
}

export function shownClient({
  registration,
  suspended,
}: {
  registration: Registration
  suspended: string | null
}) {
  return {
    client_id: registration.clientId,
    client_name: registration.name,
    ...(registration.homepage !== null && { client_uri: registration.homepage }),
    redirect_uris: registration.redirectUris,
    grant_types: registration.grantTypes,
    ...shownProof(registration),
    ...(registration.profile && { profile: registration.profile }),
    scope: registration.scopes.join(' '),
    ...(registration.authorizationDetailsTypes && {
      authorization_details_types: registration.authorizationDetailsTypes,
    }),
    ...(registration.tokenExchange && { token_exchange: shownExchangePolicy(registration.tokenExchange) }),
    ...(registration.jwtBearer && { jwt_bearer: shownTrustedIssuers(registration.jwtBearer) }),
    suspended,
  }
}
