import 'reflect-metadata'
import { createHash, generateKeyPairSync } from 'node:crypto'
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { signAccessToken, thumbprint } from '@grantlog/oauth'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals'
import { Controller, Get, Module, UseFilters, UseGuards } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify'
import express from 'express'
import { fastify } from 'fastify'
import { SignJWT } from 'jose'
import * as forExpress from './express.js'
import * as forFastify from './fastify.js'
import { verifyToken } from './fetch.js'
import { Freshness } from './freshness.js'
import { Guard, type Need } from './guard.js'
import { GuardErrorFilter, Public, RequireScope, Staleness, Token, TokenGuard } from './nest/index.js'
import { RevocationSet } from './revocation-set.js'
import type { VerifiedToken } from './verified-token.js'

const start = 1_800_000_000
const issuer = 'https://auth.example.com'
const audience = 'https://api.example.com/api'
const resourceMetadata = 'https://api.example.com/.well-known/oauth-protected-resource/api'
const pair = () => generateKeyPairSync('ec', { namedCurve: 'P-256' })
const key = pair()
const holder = pair()
const jwk = holder.publicKey.export({ format: 'jwk' })

const clock = { now: start }
const revocations = new RevocationSet({ now: () => clock.now })
revocations.apply({ target: { kind: 'token', id: 'revoked' }, issuedBefore: null })
const freshness = new Freshness(['token'])
const guard = new Guard({
  issuer,
  audience,
  revocations,
  freshness,
  resourceMetadata,
  keys: async () => key.publicKey,
  now: () => new Date(clock.now * 1000),
  certificateOf({ headers }) {
    if (headers['client-cert'] === 'broken') throw new Error('the proxy says something strange')
    return undefined
  },
})

const read: Need = { scope: ['read'] }
const strict: Need = { ...read, maxStalenessSeconds: 2 }
const lenient: Need = { ...read, whenStale: { allowForSeconds: 60 } }

/** Each has `/api/notes`, which needs the scope `read`, and beside it `strict` and `lenient` towards stale revocations. */
const servers: Readonly<Record<string, () => Promise<{ url: string; stop: () => Promise<void> }>>> = {
  async Express() {
    const router = express.Router()
    for (const [path, need] of [
      ['/notes', read],
      ['/strict', strict],
      ['/lenient', lenient],
    ] as const)
      router.get(path, forExpress.requireToken(guard, need), (request, response) => {
        response.json(forExpress.tokenOf(request))
      })
    return listening(createServer(express().set('env', 'test').use('/api', router)))
  },

  async Fastify() {
    const app = fastify()
    app.get('/api/notes', { onRequest: forFastify.requireToken(guard, read) }, forFastify.tokenOf)
    app.get('/api/strict', { preHandler: forFastify.requireToken(guard, strict) }, forFastify.tokenOf)
    app.get('/api/lenient', { preHandler: [forFastify.requireToken(guard, lenient)] }, forFastify.tokenOf)
    return { url: await app.listen(), stop: async () => app.close() }
  },

  async Request() {
    const needs: Record<string, Need> = { '/api/notes': read, '/api/strict': strict, '/api/lenient': lenient }
    async function answer(request: Request): Promise<Response> {
      const token = await verifyToken(guard, request, needs[new URL(request.url).pathname])
      return token instanceof Response ? token : Response.json(token)
    }
    return listening(createServer(handledBy(answer)))
  },

  async Nest() {
    @Controller('api')
    @UseGuards(TokenGuard)
    @UseFilters(GuardErrorFilter)
    class Notes {
      @Get('notes')
      @RequireScope('read')
      notes(@Token() token: VerifiedToken) {
        return token
      }

      @Get('strict')
      @RequireScope('read')
      @Staleness({ maxStalenessSeconds: 2 })
      strict(@Token() token: VerifiedToken) {
        return token
      }

      @Get('lenient')
      @RequireScope('read')
      @Staleness({ whenStale: { allowForSeconds: 60 } })
      lenient(@Token() token: VerifiedToken) {
        return token
      }

      @Get('open')
      @Public()
      open() {
        return {}
      }

      @Get('forgotten')
      forgotten() {
        return {}
      }
    }
    @Module({ controllers: [Notes], providers: [{ provide: Guard, useValue: guard }] })
    class Application {}
    const app = await NestFactory.create<NestFastifyApplication>(Application, new FastifyAdapter(), {
      logger: false,
    })
    await app.listen(0)
    return { url: await app.getUrl(), stop: () => app.close() }
  },
}

async function listening(server: Server) {
  await new Promise<void>(resolve => server.listen(0, resolve))
  const { port } = server.address() as AddressInfo
  const stop = async () => {
    server.close()
  }
  return { url: `http://localhost:${port}`, stop }
}

function handledBy(answer: (request: Request) => Promise<Response>): RequestListener {
  return async (incoming, outgoing) => {
    const headers = new Headers(Object.entries(incoming.headers).map(([name, value]) => [name, `${value}`]))
    const { method = '' } = incoming
    const response = await answer(new Request(`http://localhost${incoming.url}`, { method, headers }))
    outgoing.writeHead(response.status, Object.fromEntries(response.headers)).end(await response.text())
  }
}

function tokenOf(change: object = {}): string {
  const claims = {
    iss: issuer,
    aud: audience,
    sub: 'ada',
    client_id: 'ledgerly',
    jti: 'token',
    scope: 'read',
  }
  const all = { ...claims, iat: start, exp: start + 600, ...change }
  return signAccessToken(all, { kid: 'k', algorithm: 'ES256', privateKey: key.privateKey })
}

const good = tokenOf()
const bound = tokenOf({ jti: 'bound', cnf: { jkt: thumbprint(jwk) } })
const ath = createHash('sha256').update(bound).digest('base64url')
const proofFor = (path: string) =>
  new SignJWT({
    jti: crypto.randomUUID(),
    htm: 'GET',
    htu: `https://api.example.com${path}`,
    iat: start,
    ath,
  })
    .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk })
    .sign(holder.privateKey)

interface Row {
  readonly says: string
  readonly path?: string
  readonly headers: () => Promise<Record<string, string>> | Record<string, string>
  /** Seconds since the revocations were heard. */
  readonly heardAgo?: number
  readonly answer:
    | { readonly status: 200; readonly tokenId: string }
    | { readonly status: number; readonly error: string; readonly challenge: string | null }
}

const bearer = (token: string) => () => ({ authorization: `Bearer ${token}` })
const metadata = `resource_metadata="${resourceMetadata}"`
const refused = (status: number, error: string, scheme = 'Bearer') => ({
  status,
  error,
  challenge: `${scheme} error="${error}"`,
})
const stale = { status: 503, error: 'temporarily_unavailable', challenge: null }

const rows: readonly Row[] = [
  { says: 'a good token', headers: bearer(good), answer: { status: 200, tokenId: 'token' } },
  {
    says: 'a good token behind a query',
    path: '/api/notes?page=2',
    headers: bearer(good),
    answer: { status: 200, tokenId: 'token' },
  },
  {
    says: 'no token',
    headers: () => ({}),
    answer: { status: 401, error: 'unauthorized', challenge: `Bearer ${metadata}` },
  },
  {
    says: 'a token in the query alone',
    path: `/api/notes?access_token=${good}`,
    headers: () => ({}),
    answer: { status: 401, error: 'unauthorized', challenge: `Bearer ${metadata}` },
  },
  {
    says: 'a token in the query too, however it is written',
    path: `/api/notes?page=2&access%5Ftoken=${good}`,
    headers: bearer(good),
    answer: refused(400, 'invalid_request'),
  },
  { says: 'no token but its scheme', headers: bearer(''), answer: refused(400, 'invalid_request') },
  { says: 'a changed token', headers: bearer(`${good}A`), answer: refused(401, 'invalid_token') },
  {
    says: 'an expired token',
    headers: bearer(tokenOf({ exp: start - 60 })),
    answer: refused(401, 'invalid_token'),
  },
  {
    says: 'a revoked token',
    headers: bearer(tokenOf({ jti: 'revoked' })),
    answer: refused(401, 'invalid_token'),
  },
  {
    says: 'a token for something else',
    headers: bearer(tokenOf({ scope: 'write' })),
    answer: refused(403, 'insufficient_scope'),
  },
  {
    says: 'a bound token with a proof',
    headers: async () => ({ authorization: `DPoP ${bound}`, dpop: await proofFor('/api/notes') }),
    answer: { status: 200, tokenId: 'bound' },
  },
  {
    says: 'a bound token with a proof for another URL',
    headers: async () => ({ authorization: `DPoP ${bound}`, dpop: await proofFor('/notes') }),
    answer: refused(401, 'invalid_dpop_proof', 'DPoP'),
  },
  {
    says: 'a bound token without its proof',
    headers: () => ({ authorization: `DPoP ${bound}` }),
    answer: refused(401, 'invalid_dpop_proof', 'DPoP'),
  },
  { says: 'a bound token as another', headers: bearer(bound), answer: refused(401, 'invalid_token') },
  { says: 'a good token while stale', heardAgo: 11, headers: bearer(good), answer: stale },
  {
    says: 'a good token where the route wants to know more',
    path: '/api/strict',
    heardAgo: 3,
    headers: bearer(good),
    answer: stale,
  },
  {
    says: 'a good token where the route goes on',
    path: '/api/lenient',
    heardAgo: 11,
    headers: bearer(good),
    answer: { status: 200, tokenId: 'token' },
  },
]

describe.each(Object.entries(servers))('with %s', (name, started) => {
  let server: Awaited<ReturnType<typeof started>>
  beforeAll(async () => {
    server = await started()
  })
  afterAll(() => server?.stop())
  beforeEach(() => {
    clock.now = start
    freshness.alive('token', new Date(start * 1000))
  })

  it.each(rows)('$says', async ({ path = '/api/notes', headers, heardAgo = 0, answer }) => {
    clock.now = start + heardAgo
    const response = await fetch(server.url + path, { headers: await headers() })
    const body = await response.json()
    expect({ status: response.status, ...(body as object) }).toMatchObject(
      'tokenId' in answer ? answer : { status: answer.status, error: answer.error },
    )
    if ('tokenId' in answer) return
    expect(response.headers.get('content-type')).toMatch(/^application\/json/)
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(response.headers.get('retry-after')).toBe(answer.status === 503 ? '1' : null)
    const challenge = response.headers.get('www-authenticate')
    if (answer.challenge === null) expect(challenge).toBeNull()
    else {
      expect(challenge?.startsWith(answer.challenge)).toBe(true)
      expect(challenge).toContain(metadata)
    }
  })

  if (name !== 'Request')
    it('a certificate that can not be read', async () => {
      const headers = { ...bearer(good)(), 'client-cert': 'broken' }
      expect((await fetch(`${server.url}/api/notes`, { headers })).status).toBe(500)
    })

  if (name === 'Nest')
    it.each([
      ['open', 200],
      ['forgotten', 500],
    ])('a route that is %s', async (route, status) => {
      expect(await fetch(`${server.url}/api/${route}`, { headers: bearer(good)() })).toMatchObject({ status })
    })
})

it.each([forExpress.tokenOf, forFastify.tokenOf])('a request that no token was asked of has none', read => {
  expect(() => read({})).toThrow('The route does not ask for a token')
})
