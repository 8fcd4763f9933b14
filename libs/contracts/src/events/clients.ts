import { z } from 'zod'
import { defineEvent } from '../event.js'
import {
  apiId,
  audience,
  clientId,
  detailsType,
  grantTypes,
  profile,
  publicJwk,
  scopes,
  senderConstraint,
  signingAlgorithm,
  uuid,
} from '../fields.js'

const registeredKey = z.strictObject({
  keyId: z.string().max(128).nullable().describe('Its `kid`, where it has one.'),
  jwk: publicJwk,
})
const client = z.strictObject({
  clientId,
  name: z.string().min(1).max(80).describe('What the consent page calls the application.'),
  homepage: z.url().max(512).nullable().describe('Where a person can read about the application.'),
  redirectUris: z
    .array(z.string().max(1024))
    .max(20)
    .describe('Where the browser may be sent back to (RFC 6749 §3.1.2).'),
  grantTypes,
  tokenEndpointAuthMethod: z
    .enum([
      'client_secret_basic',
      'client_secret_post',
      'private_key_jwt',
      'tls_client_auth',
      'self_signed_tls_client_auth',
      'none',
    ])
    .describe('How the client authenticates (RFC 7591 §2, RFC 8705 §2); `none` makes it a public client.'),
  keys: z
    .array(registeredKey)
    .max(10)
    .describe(
      'The client’s public keys: of `private_key_jwt` (RFC 7523), and of signed request objects (RFC 9101).',
    ),
  certificates: z
    .array(
      z.strictObject({
        kind: z
          .enum(['subject_dn', 'san_dns', 'san_uri', 'san_ip', 'thumbprint'])
          .describe('A name in a certificate (RFC 8705 §2.1.2), or the certificate’s own SHA-256.'),
        value: z.string().min(1).max(512).describe('The name, or the thumbprint in base64url.'),
      }),
    )
    .max(10)
    .describe('By what a certificate is known to be the client’s; none for any other method.'),
  senderConstraint: senderConstraint
    .nullable()
    .describe(
      'How every token of the client must be bound to its sender (RFC 9449, RFC 8705); null: as it asks.',
    ),
  profile: profile.optional(),
  requirePushedRequests: z
    .boolean()
    .describe('Whether the client must push its authorization requests (RFC 9126 §6).'),
  requireSignedRequests: z
    .boolean()
    .describe('Whether the client must sign its authorization requests (RFC 9101 §10.5).'),
  scopes: scopes.describe('The scopes the client may ask for, over all APIs.'),
  authorizationDetailsTypes: z
    .array(detailsType)
    .max(50)
    .optional()
    .describe('The types of authorization details that the client may ask for (RFC 9396 §10); absent: none.'),
  tokenExchange: z
    .strictObject({
      rules: z
        .array(
          z.strictObject({
            from: audience.describe('Audience of the tokens that the client may exchange.'),
            to: audience.describe('Audience of the token that it may get.'),
            scopes: scopes.describe('The scopes that the token may get there.'),
            subjectScopes: scopes.describe('What the exchanged token must have, for the rule to hold.'),
          }),
        )
        .max(50)
        .describe('Which tokens the client may exchange, and for what.'),
      impersonate: z
        .boolean()
        .describe(
          'Whether the client may leave itself unnamed; false: it becomes the actor (RFC 8693 §4.1).',
        ),
    })
    .optional()
    .describe('What the client may do by token exchange (RFC 8693); absent: it may not use it.'),
  jwtBearer: z
    .array(
      z.strictObject({
        issuer: z.string().min(1).max(512).describe('Whose assertions are believed: their `iss`.'),
        keys: z.array(registeredKey).min(1).max(10).describe('The public keys that sign them.'),
        audience: audience.describe('The API that the client may reach with one.'),
        scopes: scopes.describe('The scopes that it may get there.'),
      }),
    )
    .max(20)
    .optional()
    .describe(
      'Whose assertions the client may present as grants (RFC 7523 §2.1); absent: it may not use any.',
    ),
})
const credential = z.strictObject({
  credentialId: uuid.describe('Which of the client’s credentials it is.'),
  verifier: z
    .string()
    .length(43)
    .describe(
      'HMAC-SHA-256 of the 256-bit random secret, base64url: it verifies the secret and cannot give it away.',
    ),
})
const aClient: z.infer<typeof client> = {
  clientId: 'ledgerly',
  name: 'Ledgerly',
  homepage: 'https://ledgerly.example/',
  redirectUris: ['https://ledgerly.example/callback'],
  grantTypes: ['authorization_code', 'refresh_token'],
  tokenEndpointAuthMethod: 'client_secret_basic',
  keys: [],
  certificates: [],
  senderConstraint: null,
  requirePushedRequests: false,
  requireSignedRequests: false,
  scopes: ['invoices:read'],
}

export const clientRegistered = defineEvent({
  type: 'client.registered',
  topic: 'clients',
  streams: ['client-{clientId}'],
  summary: 'A client was registered.',
  data: client.extend({
    credentials: z.array(credential).max(10).describe('What the client authenticates with; none if public.'),
  }),
  example: {
    ...aClient,
    credentials: [
      {
        credentialId: '0199aa00-0000-7000-8000-000000000001',
        verifier: 'MV0lhJQHrGXzoyhYIxZ4cHJSf0TTyERAAq5Ck0nPYoI',
      },
    ],
  },
})
export const clientUpdated = defineEvent({
  type: 'client.updated',
  topic: 'clients',
  streams: ['client-{clientId}'],
  summary: 'A client’s registration was replaced; its credentials stay.',
  data: client,
  example: {
    ...aClient,
    name: 'Ledgerly Books',
    tokenEndpointAuthMethod: 'private_key_jwt',
    keys: [
      {
        keyId: '2026-11',
        jwk: {
          kty: 'EC',
          crv: 'P-256',
          x: 'MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4',
          y: '4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM',
        },
      },
    ],
    certificates: [{ kind: 'san_dns', value: 'client.ledgerly.example' }],
    senderConstraint: 'dpop',
    profile: 'fapi2',
    requirePushedRequests: true,
    requireSignedRequests: true,
    authorizationDetailsTypes: ['invoice_payment'],
  },
})
export const clientSuspended = defineEvent({
  type: 'client.suspended',
  topic: 'clients',
  streams: ['client-{clientId}'],
  summary: 'A client may not be used until it is reinstated; its tokens are revoked.',
  data: z.strictObject({
    clientId,
    reason: z.string().max(200).describe('Why, in the operator’s words; names no person.'),
  }),
  example: { clientId: 'ledgerly', reason: 'reported for phishing' },
})
export const clientReinstated = defineEvent({
  type: 'client.reinstated',
  topic: 'clients',
  streams: ['client-{clientId}'],
  summary: 'A suspended client may be used again; tokens from before stay revoked.',
  data: z.strictObject({ clientId }),
  example: { clientId: 'ledgerly' },
})
export const clientDeleted = defineEvent({
  type: 'client.deleted',
  topic: 'clients',
  streams: ['client-{clientId}'],
  summary: 'A client is gone for good, and its tokens with it; its id is never used again.',
  data: z.strictObject({
    clientId,
    reason: z.string().max(200).describe('Why, in the operator’s words; names no person.'),
  }),
  example: { clientId: 'ledgerly', reason: 'the application was discontinued' },
})

const api = z.strictObject({
  apiId,
  audience,
  name: z.string().min(1).max(80).describe('What the consent page calls the API.'),
  scopes: z
    .array(
      z.strictObject({
        name: scopes.element.describe('The scope value (RFC 6749 §3.3).'),
        text: z
          .string()
          .min(1)
          .max(160)
          .describe('What a person reads on the consent page: “Read your invoices”.'),
        access: z.enum(['read', 'write']).describe('Whether the scope lets a client change anything.'),
      }),
    )
    .min(1)
    .max(100)
    .describe('The scopes that the API understands.'),
  authorizationDetailsTypes: z
    .array(
      z.strictObject({
        type: detailsType,
        text: z
          .string()
          .min(1)
          .max(160)
          .describe('What a person reads on the consent page: “Pay an invoice”.'),
        fields: z
          .array(
            z.strictObject({
              name: z
                .string()
                .regex(/^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/)
                .max(128)
                .describe('The member; within an object, after the object’s: `amount.currency`.'),
              text: z.string().min(1).max(80).describe('What a person reads before its value: “Amount”.'),
              kind: z.enum(['text', 'texts', 'number', 'boolean']).describe('What it holds.'),
              required: z.boolean().describe('Whether it must be there.'),
              values: z
                .array(z.string().min(1).max(256))
                .min(1)
                .max(50)
                .optional()
                .describe('The texts that it may hold; absent: any.'),
            }),
          )
          .max(50)
          .describe('The members that it may have. No others are accepted.'),
      }),
    )
    .max(50)
    .optional()
    .describe('The types of authorization details that the API understands (RFC 9396); absent: none.'),
  accessTokenSeconds: z
    .int()
    .min(30)
    .max(3600)
    .describe('How long an access token for this API lives, in seconds.'),
  accessTokenAlgorithm: signingAlgorithm.describe('What access tokens for this API are signed with.'),
  accessTokenFormat: z
    .enum(['jwt', 'opaque'])
    .describe('Whether the API verifies access tokens itself (RFC 9068), or asks about them (RFC 7662).'),
  introspectionClientId: clientId
    .optional()
    .describe('The client as which the API asks about tokens that are for it (RFC 7662).'),
  profile: profile.optional(),
})
const anApi: z.infer<typeof api> = {
  apiId: 'invoices',
  audience: 'https://api.example/invoices',
  name: 'Invoices',
  scopes: [{ name: 'invoices:read', text: 'Read your invoices', access: 'read' }],
  accessTokenSeconds: 600,
  accessTokenAlgorithm: 'ES256',
  accessTokenFormat: 'jwt',
}

export const apiRegistered = defineEvent({
  type: 'api.registered',
  topic: 'clients',
  streams: ['api-{apiId}'],
  summary: 'An API (a resource server) was registered with its scopes and the words people read.',
  data: api,
  example: anApi,
})
export const apiUpdated = defineEvent({
  type: 'api.updated',
  topic: 'clients',
  streams: ['api-{apiId}'],
  summary: 'An API’s registration was replaced.',
  data: api,
  example: {
    ...anApi,
    accessTokenSeconds: 300,
    accessTokenFormat: 'opaque',
    introspectionClientId: 'invoices-api',
    profile: 'fapi2',
    authorizationDetailsTypes: [
      {
        type: 'invoice_payment',
        text: 'Pay an invoice',
        fields: [
          { name: 'amount.value', text: 'Amount', kind: 'text', required: true },
          { name: 'amount.currency', text: 'Currency', kind: 'text', required: true, values: ['EUR'] },
        ],
      },
    ],
  },
})
export const apiSuspended = defineEvent({
  type: 'api.suspended',
  topic: 'clients',
  streams: ['api-{apiId}'],
  summary: 'No new grant or token is made for an API until it is reinstated.',
  data: z.strictObject({
    apiId,
    reason: z.string().max(200).describe('Why, in the operator’s words; names no person.'),
  }),
  example: { apiId: 'invoices', reason: 'maintenance' },
})
export const apiReinstated = defineEvent({
  type: 'api.reinstated',
  topic: 'clients',
  streams: ['api-{apiId}'],
  summary: 'A suspended API takes grants and tokens again.',
  data: z.strictObject({ apiId }),
  example: { apiId: 'invoices' },
})
