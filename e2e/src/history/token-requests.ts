import { createHash } from 'node:crypto'
import type { Chance } from './chance.js'
import { instanceOf, type Workload } from './workload.js'

/** Asks for a token for the client itself. @returns the access token, when there is one */
export async function credentials(
  workload: Workload,
  chance: Chance,
  client: { readonly id: string; readonly secret: string },
  resource: string,
): Promise<string | undefined> {
  const { url, name: instance } = instanceOf(workload, chance, 'token')
  let token: string | undefined
  const about = { operation: 'credentials', instance, facts: { clientId: client.id } } as const
  await workload.history.invoke(chance, about, async request => {
    const parameters = { grant_type: 'client_credentials', resource }
    const { answer, said } = await tokenRequest(request, url, client, parameters)
    token = said?.tokens.accessToken
    return answer
  })
  return token
}

/** A request to the token endpoint: what it answered, in words for the history, and the tokens if there are some. */
export async function tokenRequest(
  request: RequestInit,
  url: string,
  client: { readonly id: string; readonly secret?: string },
  parameters: Record<string, string>,
) {
  const response = await fetch(`${url}/token`, asClient(request, client, parameters))
  const body = (await response.json()) as { access_token?: string; refresh_token?: string; error?: string }
  const { access_token: accessToken, refresh_token: refreshToken = '' } = body
  if (!response.ok || accessToken === undefined) return { answer: { status: response.status } }
  const claims = JSON.parse(
    Buffer.from(accessToken.split('.')[1] ?? '', 'base64url').toString('utf8'),
  ) as Record<string, string>
  const ids = { familyId: claims.family ?? '', grantId: claims.grant ?? '' }
  const facts = {
    ...ids,
    tokenId: claims.jti ?? '',
    ...(refreshToken !== '' && { next: hash(refreshToken) }),
  }
  return { answer: { status: response.status, facts }, said: { ids, tokens: { accessToken, refreshToken } } }
}

/** A form that a client sends, with its secret if it has one. */
export function asClient(
  request: RequestInit,
  client: { readonly id: string; readonly secret?: string },
  parameters: Record<string, string>,
): RequestInit {
  const authorization = `Basic ${Buffer.from(`${client.id}:${client.secret}`).toString('base64')}`
  return {
    ...request,
    method: 'POST',
    headers: { ...request.headers, ...(client.secret !== undefined && { authorization }) },
    body: new URLSearchParams({
      ...parameters,
      ...(client.secret === undefined && { client_id: client.id }),
    }),
  }
}

/** As the token service keeps a refresh token: the hash of its secret half. */
export const hash = (secret: string) =>
  createHash('sha256')
    .update(secret.split('.').length === 2 ? (secret.split('.')[1] ?? '') : secret)
    .digest('base64url')
