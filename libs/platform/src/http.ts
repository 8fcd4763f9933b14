import { invalidRequest } from '@grantlog/oauth'
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import type { ErrorForm } from './error-filter.js'
import { withoutRedaction } from './log.js'
import type { Metrics } from './metrics.js'
import { Problem } from './problem.js'
import { setting } from './setting.js'
import { traceOf, withinTrace } from './trace.js'

/** For services that applications in browsers call. They send no cookies: whoever has the token may read the answer. */
export const corsSettings = {
  ALLOWED_ORIGINS: setting.origins({
    describe: 'Origins of browser applications that may read answers (CORS); * for all.',
    example: 'https://app.example.com',
    default: '*',
  }),
}

export function corsOptions(origins: readonly string[]) {
  return {
    origin: origins.includes('*') ? '*' : [...origins],
    methods: ['GET', 'POST', 'PUT', 'DELETE'],
    allowedHeaders: ['authorization', 'content-type', 'dpop', 'idempotency-key', 'traceparent'],
    exposedHeaders: ['www-authenticate', 'retry-after', 'dpop-nonce'],
    maxAge: 600,
  }
}

/** The same, and at these paths only. */
export function corsAt(paths: readonly string[], origins: readonly string[]) {
  const delegator = async ({ url }: FastifyRequest) => {
    const [path = ''] = url.split('?')
    return paths.includes(path) ? corsOptions(origins) : { origin: false }
  }
  return { delegator }
}

const bodyLimit = 64 * 1024
const urlLimit = 16 * 1024
const everyAnswer = {
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
}

export function createAdapter(trustedProxies: readonly string[], errors: ErrorForm): FastifyAdapter {
  return new FastifyAdapter({
    bodyLimit,
    routerOptions: { maxParamLength: 256 },
    trustProxy: trustedProxies.length > 0 ? [...trustedProxies] : false,
    http: { maxHeaderSize: 32 * 1024 },
    forceCloseConnections: 'idle',
    return503OnClosing: false, // what is in flight is finished; the balancer has been told by readiness
    // a path that can't be decoded gets to no route, and so to no hook and no filter
    frameworkErrors: (_error: FastifyError, _request: FastifyRequest, reply: FastifyReply) => {
      const sentence = 'The path of the URL is not percent-encoded UTF-8.'
      const oauth = errors === 'oauth'
      const refusal = oauth ? invalidRequest(sentence) : new Problem(400, 'Bad Request', sentence)
      reply
        .status(400)
        .headers(everyAnswer)
        .type(oauth ? 'application/json' : 'application/problem+json')
        .send(JSON.stringify(refusal))
    },
  })
}

/** What holds for every request of every service: trace, headers, parsers, one line in the log, a measurement. */
export function prepareHttp(
  app: NestFastifyApplication,
  logger: Logger,
  metrics: Metrics,
): (path: string) => string[] {
  const fastify: FastifyInstance = app.getHttpAdapter().getInstance()
  const requests = withoutRedaction(logger)
  const routes: { pattern: RegExp; method: string }[] = []

  fastify.removeContentTypeParser('text/plain')
  // Protocol code reads forms itself, strictly: it gets the text.
  fastify.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (_, body, done) =>
    done(null, body),
  )
  fastify.addHook('onRoute', ({ url, method }) => {
    if (url === '*') return // preflights of CORS, whatever the path
    const pattern = new RegExp(`^${url.replace(/[.]/g, '\\.').replace(/:[A-Za-z]+/g, '[^/]+')}$`)
    for (const each of [method].flat()) routes.push({ pattern, method: each })
  })
  fastify.addHook('onRequest', (request, reply, done) => {
    reply.headers({
      ...everyAnswer,
      ...(request.protocol === 'https' && { 'strict-transport-security': 'max-age=31536000' }),
    })
    if (request.url.length > urlLimit) {
      done(new Problem(414, 'URI Too Long', 'The URL is too long.'))
      return
    }
    // Node keeps the first Authorization line and drops the others without a word. Whoever reads credentials must see that
    // there were two, and refuses what is not one. RFC 9110 §5.3: lines of one name combine with commas.
    const authorization = linesOf(request.raw.rawHeaders, 'authorization')
    if (authorization.length > 1) request.headers.authorization = authorization.join(', ')
    const trace = traceOf(header(request, 'traceparent'))
    withinTrace(trace, done)
  })
  fastify.addHook('onResponse', (request, reply, done) => {
    const route = request.routeOptions.url ?? 'unknown'
    metrics.observe(request.method, route, reply.statusCode, reply.elapsedTime / 1000)
    if (!route.startsWith('/health') && route !== '/metrics') {
      requests.info(
        {
          method: request.method,
          route,
          status: reply.statusCode,
          ms: Math.round(reply.elapsedTime * 10) / 10,
        },
        'request',
      )
    }
    done()
  })
  return path => [
    ...new Set(
      routes.filter(route => route.pattern.test(path) && route.method !== 'HEAD').map(route => route.method),
    ),
  ]
}

/** The values of every header of a name. @param raw names and values in turn */
function linesOf(raw: readonly string[], name: string): string[] {
  return raw.filter((_, at) => at % 2 === 1 && raw[at - 1]?.toLowerCase() === name)
}

function header(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name]
  return Array.isArray(value) ? value[0] : value
}
