import { createHash, randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** How the next authorization request is answered; parameters here replace those of the answer. */
export type Answer = Readonly<Record<string, string | undefined>>

export interface TinyServer {
  readonly issuer: string
  readonly resource: string
  /** Authorization requests, in order. */
  readonly asked: URLSearchParams[]
  /** Every access and refresh token that was issued. */
  readonly issued: string[]
  answerWith(answer: Answer): void
  close(): Promise<void>
}

/**
 * An authorization server that allows at once, and the invoices API behind it: as small as tells apart a client that keeps to
 * the protocol from one that doesn't. It checks PKCE, the redirect URI, single use, and scope.
 */
export async function tinyServer(clients: {
  secretOf: (clientId: string) => string | undefined
}): Promise<TinyServer> {
  const server = createServer((request, response) => {
    void handle(request, response).catch((error: unknown) => response.writeHead(500).end(String(error)))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const issuer = `http://localhost:${port}`
  const asked: URLSearchParams[] = []
  const issued: string[] = []
  const codes = new Map<string, URLSearchParams>()
  const live = new Map<string, { kind: 'access' | 'refresh'; scope: string; family: string }>()
  const invoices = [invoiceOf('2026-001', 42_000), invoiceOf('2026-002', 180_000)]
  let answer: Answer = {}

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '', issuer)
    const body = await bodyOf(request)
    response.setHeader('access-control-allow-origin', '*')
    response.setHeader('access-control-allow-headers', 'authorization, content-type')
    response.setHeader('access-control-expose-headers', 'www-authenticate')
    if (request.method === 'OPTIONS') return void response.writeHead(204).end()
    const json = (status: number, value: object, headers = {}) =>
      void response
        .writeHead(status, { 'content-type': 'application/json', ...headers })
        .end(JSON.stringify(value))

    switch (url.pathname) {
      case '/.well-known/oauth-authorization-server':
        return json(200, {
          issuer,
          authorization_endpoint: `${issuer}/authorize`,
          token_endpoint: `${issuer}/token`,
          revocation_endpoint: `${issuer}/revoke`,
          response_types_supported: ['code'],
          authorization_response_iss_parameter_supported: true,
        })
      case '/authorize': {
        const query = url.searchParams
        asked.push(query)
        const code = randomUUID()
        codes.set(code, query)
        const back = new URL(query.get('redirect_uri') ?? '')
        const parameters = { code, state: query.get('state') ?? '', iss: issuer, ...answer }
        answer = {}
        for (const [name, value] of Object.entries(parameters)) if (value) back.searchParams.set(name, value)
        return void response.writeHead(303, { location: back.href }).end()
      }
      case '/token': {
        const form = new URLSearchParams(body)
        if (!authenticated(request, form)) return json(401, { error: 'invalid_client' })
        const granted = form.get('grant_type') === 'refresh_token' ? refresh(form) : redeem(form)
        return granted ? json(200, granted) : json(400, { error: 'invalid_grant' })
      }
      case '/revoke': {
        const form = new URLSearchParams(body)
        if (!authenticated(request, form)) return json(401, { error: 'invalid_client' })
        const family = live.get(form.get('token') ?? '')?.family
        for (const [token, entry] of live) if (entry.family === family) live.delete(token)
        return void response.writeHead(200).end()
      }
      case '/invoices': {
        const token = live.get(request.headers.authorization?.replace(/^Bearer /, '') ?? '')
        const challenge = (error: string) => ({ 'www-authenticate': `Bearer error="${error}"` })
        if (token?.kind !== 'access') return json(401, {}, challenge('invalid_token'))
        if (request.method === 'GET') {
          return json(200, { owner: { kind: 'person', id: 'ada' }, invoices })
        }
        if (!token.scope.includes('invoices:write')) return json(403, {}, challenge('insufficient_scope'))
        const created = { ...invoiceOf('INV-2026-NEW', 0), ...JSON.parse(body) }
        invoices.unshift(created)
        return json(201, created)
      }
      default:
        return json(404, {})
    }
  }

  function authenticated(request: IncomingMessage, form: URLSearchParams): boolean {
    const basic = /^Basic (.+)$/.exec(request.headers.authorization ?? '')?.[1]
    const [id = '', secret] = basic
      ? Buffer.from(basic, 'base64').toString().split(':').map(decodeURIComponent)
      : [form.get('client_id') ?? '']
    return clients.secretOf(id) === secret
  }

  function redeem(form: URLSearchParams) {
    const code = form.get('code') ?? ''
    const query = codes.get(code)
    codes.delete(code)
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url')
    if (query?.get('code_challenge') !== challenge) return undefined
    if (query.get('redirect_uri') !== form.get('redirect_uri')) return undefined
    return issue(query.get('scope') ?? '', randomUUID())
  }

  function refresh(form: URLSearchParams) {
    const token = form.get('refresh_token') ?? ''
    const entry = live.get(token)
    live.delete(token)
    return entry?.kind === 'refresh' ? issue(entry.scope, entry.family) : undefined
  }

  function issue(scope: string, family: string) {
    const claims = Buffer.from(JSON.stringify({ iss: issuer, sub: 'ada', scope })).toString('base64url')
    const access_token = `e30.${claims}.${randomUUID()}`
    const refresh_token = `${family}.${randomUUID()}`
    live.set(access_token, { kind: 'access', scope, family })
    live.set(refresh_token, { kind: 'refresh', scope, family })
    issued.push(access_token, refresh_token)
    return { access_token, refresh_token, token_type: 'Bearer', expires_in: 600, scope }
  }

  return {
    issuer,
    resource: `${issuer}/invoices`,
    asked,
    issued,
    answerWith: next => {
      answer = next
    },
    close: () => {
      server.closeAllConnections()
      return new Promise(resolve => server.close(() => resolve()))
    },
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

function invoiceOf(number: string, amount: number) {
  return {
    id: randomUUID(),
    number,
    customer: 'Royal Society',
    description: 'Lecture',
    amount,
    currency: 'GBP',
    issued_on: '2026-01-14',
    status: 'open',
  }
}
