import { signingAlgorithms } from '@grantlog/oauth'
import { line } from '@grantlog/platform'
import { z } from 'zod'
import type { ApiRegistration } from '../domain/api.js'
import { audience } from './audience.js'
import { unique } from './wrong-member.js'

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
  access_token_seconds: z.int().min(30).max(3600).default(600),
  access_token_alg: z.enum(signingAlgorithms).default('ES256'),
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
  return {
    apiId,
    audience: body.audience,
    name: body.name,
    scopes: body.scopes,
    accessTokenSeconds: body.access_token_seconds,
    accessTokenAlgorithm: body.access_token_alg,
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
    suspended,
  }
}
