import 'reflect-metadata'
import { Contended, OutcomeUnknown, Overloaded } from '@grantlog/eventing'
import { invalidGrant } from '@grantlog/oauth'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { Controller, Get, HttpException, Module, Post } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import type { NestFastifyApplication } from '@nestjs/platform-fastify'
import { ErrorFilter, type ErrorForm, type ErrorPage } from './error-filter.js'
import { createAdapter, prepareHttp } from './http.js'
import { createLogger } from './log.js'
import { Metrics } from './metrics.js'
import { Problem } from './problem.js'

let thrown: unknown

@Controller('thing')
class Things {
  @Get()
  get(): never {
    throw thrown
  }

  @Post()
  post(): string {
    return 'done'
  }
}

@Module({ controllers: [Things] })
class ThingsModule {}

/** A service whose one route throws what the test says, and its log. */
async function service(form: ErrorForm, page?: ErrorPage, formAt = (_path: string) => form) {
  const lines: string[] = []
  const logger = createLogger('sample', 'info', { write: line => void lines.push(line) })
  const app = await NestFactory.create<NestFastifyApplication>(ThingsModule, createAdapter([], form), {
    logger: false,
    bodyParser: false,
    abortOnError: false,
  })
  const allowed = prepareHttp(app, logger, new Metrics())
  app.useGlobalFilters(new ErrorFilter(logger, formAt, page, allowed))
  await app.listen(0, '127.0.0.1')
  const origin = await app.getUrl()
  const send = async ({ url, payload, ...request }: Sent) => {
    const response = await fetch(origin + url, {
      ...request,
      ...(payload !== undefined && { body: payload }),
    })
    const body = await response.text()
    const json = () => JSON.parse(body) as unknown
    return { statusCode: response.status, headers: Object.fromEntries(response.headers), body, json }
  }
  return { app, lines, send }
}

interface Sent {
  readonly method: string
  readonly url: string
  readonly payload?: string
  readonly headers?: Readonly<Record<string, string>>
}
type Service = Awaited<ReturnType<typeof service>>

const page: ErrorPage = ({ status, title, sentence, reference }) => ({
  html: `<h1>${status} ${title}</h1><p>${sentence}</p><small>${reference}</small>`,
  policy: "default-src 'none'",
})

describe('what was thrown, as an answer', () => {
  let oauth: Service
  let problem: Service
  let pages: Service
  let forClients: Service
  beforeAll(async () => {
    oauth = await service('oauth')
    problem = await service('problem')
    pages = await service('problem', page)
    forClients = await service('problem', page, path => (path === '/thing' ? 'oauth' : 'problem'))
  })
  afterAll(() => Promise.all([oauth, problem, pages, forClients].map(each => each?.app.close())))

  const ask = async ({ send }: Service, error: unknown, headers: Record<string, string> = {}) => {
    thrown = error
    return send({ method: 'GET', url: '/thing', headers })
  }

  it('a refusal of OAuth keeps its form in every service, and its detail for the log', async () => {
    for (const each of [oauth, problem]) {
      const answer = await ask(each, invalidGrant('The code has expired.', 'family f-1'))
      expect(answer.statusCode).toBe(400)
      expect(answer.json()).toEqual({ error: 'invalid_grant', error_description: 'The code has expired.' })
      expect(answer.headers).toMatchObject({
        'content-type': expect.stringContaining('application/json'),
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
      })
      expect(each.lines.some(line => line.includes('family f-1'))).toBe(true)
    }
  })

  it('a problem keeps its form in every service', async () => {
    for (const each of [oauth, problem]) {
      const answer = await ask(each, new Problem(409, 'Conflict', 'Taken.', { headers: { 'x-by': 'me' } }))
      expect(answer.json()).toEqual({ type: 'about:blank', title: 'Conflict', status: 409, detail: 'Taken.' })
      expect(answer.headers).toMatchObject({
        'content-type': expect.stringContaining('application/problem+json'),
        'x-by': 'me',
      })
    }
  })

  it.each([new Error('the secret of the database'), 'text', undefined, new HttpException('inside', 502)])(
    'what nobody expected tells nothing of the inside: %s',
    async error => {
      const asOAuth = await ask(oauth, error)
      expect(asOAuth.statusCode).toBe(500)
      expect(asOAuth.json()).toEqual({
        error: 'server_error',
        error_description: 'Something went wrong on our side.',
      })
      const asProblem = await ask(problem, error)
      expect(asProblem.statusCode).toBe(500)
      expect(asProblem.json()).toEqual({
        type: 'about:blank',
        title: 'Internal Server Error',
        status: 500,
      })
    },
  )

  it('what nobody expected is in the log, with its trace', async () => {
    await ask(problem, new Error('the reason of it'), {
      traceparent: `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`,
    })
    const line = problem.lines.find(each => each.includes('the reason of it')) ?? ''
    expect(JSON.parse(line)).toMatchObject({
      level: 'error',
      trace: 'a'.repeat(32),
      err: { message: 'the reason of it' },
    })
  })

  it.each([Overloaded, Contended, OutcomeUnknown])('%p is an answer that asks to try again', async Kind => {
    const error: unknown = Object.create(Kind.prototype)
    const asOAuth = await ask(oauth, error)
    expect(asOAuth.statusCode).toBe(503)
    expect(asOAuth.json()).toMatchObject({ error: 'temporarily_unavailable' })
    const asProblem = await ask(problem, error)
    expect(asProblem.statusCode).toBe(503)
    expect([asOAuth.headers['retry-after'], asProblem.headers['retry-after']]).toEqual(['1', '1'])
  })

  it('another method is refused with those that are allowed (RFC 9110 §15.5.6)', async () => {
    const asOAuth = await oauth.send({ method: 'DELETE', url: '/thing?a=1' })
    expect(asOAuth.statusCode).toBe(405)
    expect(asOAuth.headers.allow).toBe('GET, POST')
    expect(asOAuth.json()).toEqual({
      error: 'invalid_request',
      error_description: 'DELETE is not allowed here; GET and POST are.',
    })
    const asProblem = await problem.send({ method: 'PUT', url: '/thing' })
    expect(asProblem.json()).toMatchObject({ status: 405, title: 'Method Not Allowed' })
  })

  it.each([
    ['nothing there', { method: 'GET', url: '/nothing' }, 404, 'Not Found'],
    ['a path that is no UTF-8', { method: 'GET', url: '/%ff' }, 400, 'Bad Request'],
    ['a URL too long', { method: 'GET', url: `/thing?${'x'.repeat(17_000)}` }, 414, 'URI Too Long'],
    [
      'a body too large',
      {
        method: 'POST',
        url: '/thing',
        payload: 'x'.repeat(66_000),
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      },
      413,
      'Content Too Large',
    ],
    [
      'a content type that nobody reads',
      { method: 'POST', url: '/thing', payload: 'x', headers: { 'content-type': 'text/plain' } },
      415,
      'Unsupported Media Type',
    ],
    [
      'broken JSON',
      { method: 'POST', url: '/thing', payload: '{', headers: { 'content-type': 'application/json' } },
      400,
      'Bad Request',
    ],
  ] as const)('%s', async (_, request, status, title) => {
    const asProblem = await problem.send(request)
    expect(asProblem.json()).toMatchObject({ type: 'about:blank', status, title, detail: expect.any(String) })
    expect(asProblem.headers['cache-control']).toBe('no-store')
  })

  it('a browser that asks for a page gets one, with the policy it needs and the trace to ask about', async () => {
    const headers = { accept: 'text/html,*/*', traceparent: `00-${'c'.repeat(32)}-${'d'.repeat(16)}-01` }
    const answer = await ask(pages, new Problem(403, 'Forbidden', 'Not yours.'), headers)
    expect(answer.statusCode).toBe(403)
    expect(answer.headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': "default-src 'none'",
    })
    expect(answer.body).toBe(`<h1>403 Forbidden</h1><p>Not yours.</p><small>${'c'.repeat(32)}</small>`)
    expect((await ask(pages, new Problem(403, 'Forbidden'), { accept: 'application/json' })).json()).toEqual({
      type: 'about:blank',
      title: 'Forbidden',
      status: 403,
    })
  })

  it('an endpoint for clients answers them in OAuth’s form, whatever they accept', async () => {
    const answer = await ask(forClients, new Error('inside'), { accept: 'text/html' })
    expect(answer.json()).toEqual({ error: 'server_error', error_description: expect.any(String) })
    const wrong = await forClients.send({ method: 'DELETE', url: '/thing' })
    expect(wrong.json()).toMatchObject({ error: 'invalid_request' })
    expect((await forClients.send({ method: 'GET', url: '/other' })).json()).toMatchObject({ status: 404 })
  })
})
