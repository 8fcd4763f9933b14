import { profiles, rulesOf, signingAlgorithms } from '@grantlog/oauth'
import { line } from '@grantlog/platform'
import { z } from 'zod'
import type { ApiRegistration } from '../domain/api.js'
import { audience } from './audience.js'
import { newClientId } from './new-client-id.js'
import { unique, wrong } from './wrong-member.js'

/** A type of authorization details (RFC 9396 §2). */
export const detailsType = z
  .string()
  .regex(/^[\x21\x23-\x5B\x5D-\x7E]{1,128}$/, 'must be 1 to 128 characters of printable ASCII, no spaces')

export const apiBody = z.object({
  audience,
  name: line(80),
  scopes: z
    .array(
      z.strictObject({
        name: z
          .string()
          .regex(
            /^[\x21\x23-\x5B\x5D-\x7E]{1,128}$/,
            'must be 1 to 128 characters of RFC 6749 §3.3, no spaces',
          ),
        text: line(160),
        access: z.enum(['read', 'write']),
      }),
    )
    .min(1)
    .max(100),
  authorization_details_types: z
    .array(
      z.strictObject({
        type: detailsType,
        text: line(160),
        fields: z
          .array(
            z.strictObject({
              name: z
                .string()
                .max(128)
                .regex(
                  /^(?!type$|locations$)[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/,
                  'must be a member but type and locations, or members with points between: amount.currency',
                ),
              text: line(80),
              kind: z.enum(['text', 'texts', 'number', 'boolean']).default('text'),
              required: z.boolean().default(true),
              values: z.array(line(256)).min(1).max(50).optional(),
            }),
          )
          .max(50)
          .default([]),
      }),
    )
    .max(50)
    .optional(),
  access_token_seconds: z.int().min(30).max(3600).default(600),
  access_token_alg: z.enum(signingAlgorithms).default('ES256'),
  access_token_format: z.enum(['jwt', 'opaque']).default('jwt'),
  introspection_client_id: newClientId.optional(),
  profile: z.enum(profiles).optional(),
})
export const newApi = apiBody.extend({
  api_id: z.string().regex(/^[a-z0-9-]{1,64}$/, 'must be 1 to 64 of a-z, 0-9 and hyphen'),
})

/** @throws Problem 400 that points at the member */
export function readApi(apiId: string, body: z.infer<typeof apiBody>): ApiRegistration {
  unique(
    '/scopes',
    body.scopes.map(scope => scope.name),
  )
  const detailsTypes = body.authorization_details_types?.map(each => ({
    ...each,
    fields: each.fields.map(({ values, ...field }) => ({ ...field, ...(values && { values }) })),
  }))
  unique('/authorization_details_types', detailsTypes?.map(({ type }) => type) ?? [])
  for (const [index, { fields }] of detailsTypes?.entries() ?? []) {
    const pointer = `/authorization_details_types/${index}/fields`
    unique(
      pointer,
      fields.map(({ name }) => name),
    )
    const valued = fields.findIndex(({ kind, values }) => values !== undefined && !kind.startsWith('text'))
    if (valued >= 0) throw wrong(`${pointer}/${valued}/values`, 'are for text and texts')
  }
  // FAPI 2.0 §5.4.1-1
  if (!rulesOf(body.profile ?? null).algorithms.includes(body.access_token_alg))
    throw wrong('/access_token_alg', `the profile ${body.profile} does not allow ${body.access_token_alg}`)
  return {
    apiId,
    audience: body.audience,
    name: body.name,
    scopes: body.scopes,
    accessTokenSeconds: body.access_token_seconds,
    accessTokenAlgorithm: body.access_token_alg,
    accessTokenFormat: body.access_token_format,
    ...(body.introspection_client_id && { introspectionClientId: body.introspection_client_id }),
    ...(body.profile && { profile: body.profile }),
    ...(detailsTypes && { authorizationDetailsTypes: detailsTypes }),
  }
}

export function shownApi({
  registration,
  suspended,
}: {
  registration: ApiRegistration
  suspended: string | null
}) {
  return {
    api_id: registration.apiId,
    audience: registration.audience,
    name: registration.name,
    scopes: registration.scopes,
    access_token_seconds: registration.accessTokenSeconds,
    access_token_alg: registration.accessTokenAlgorithm,
    access_token_format: registration.accessTokenFormat,
    ...(registration.introspectionClientId && {
      introspection_client_id: registration.introspectionClientId,
    }),
    ...(registration.authorizationDetailsTypes && {
      authorization_details_types: registration.authorizationDetailsTypes,
    }),
    ...(registration.profile && { profile: registration.profile }),
    suspended,
  }
}
