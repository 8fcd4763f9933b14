import { Contended, OutcomeUnknown, Overloaded } from '@grantlog/eventing'
import { invalidRequest, OAuthError, serverError, temporarilyUnavailable } from '@grantlog/oauth'
import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException } from '@nestjs/common'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import { Problem } from './problem.js'
import { currentTrace } from './trace.js'

/** In which form a service refuses what OAuth has no error for. */
export type ErrorForm = 'oauth' | 'problem'

/** A refusal as a page, and the Content-Security-Policy that it is sent with. */
export type ErrorPage = (refusal: {
  readonly status: number
  readonly title: string
  readonly sentence: string
  /** By which support finds it in the log: the trace's id. */
  readonly reference: string | undefined
}) => { readonly html: string; readonly policy: string }

/** Turns whatever was thrown into the answer that the protocol asks for. What it says inside stays inside. */
@Catch()
export class ErrorFilter implements ExceptionFilter {
  constructor(
    private readonly logger: Logger,
    private readonly formAt: (path: string) => ErrorForm,
    private readonly page: ErrorPage | undefined,
    private readonly allowedMethods: (path: string) => readonly string[],
  ) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<FastifyRequest>()
    const reply = host.switchToHttp().getResponse<FastifyReply>()
    const [path = ''] = request.url.split('?')
    const form = this.formAt(path)
    const refusal = this.#refusal(error, request, form)
    if (refusal.status >= 500) this.logger.error({ err: error }, 'a request failed')
    else if (refusal instanceof OAuthError) {
      this.logger.info(
        { error: refusal.code, detail: refusal.detail ?? refusal.description },
        'a request was refused',
      )
    }
    const headers = refusal instanceof OAuthError ? refusal.headers : (refusal.more.headers ?? {})
    if (this.page && form === 'problem' && request.headers.accept?.includes('text/html')) {
      const { html, policy } = this.page({
        status: refusal.status,
        title: refusal instanceof OAuthError ? 'This did not work' : refusal.title,
        sentence: refusal.message,
        reference: currentTrace()?.traceId,
      })
      reply
        .status(refusal.status)
        .headers({ ...headers, 'content-security-policy': policy })
        .type('text/html; charset=utf-8')
        .send(html)
      return
    }
    if (refusal instanceof OAuthError) {
      reply.status(refusal.status).headers(headers).type('application/json').send(JSON.stringify(refusal))
      return
    }
    reply
      .status(refusal.status)
      .headers(headers)
      .type('application/problem+json')
      .send(JSON.stringify(refusal))
  }

  #refusal(error: unknown, request: FastifyRequest, form: ErrorForm): OAuthError | Problem {
    if (error instanceof OAuthError || error instanceof Problem) return error
    if (error instanceof Overloaded || error instanceof Contended || error instanceof OutcomeUnknown) {
      return form === 'oauth'
        ? temporarilyUnavailable('The service is busy: try again in a moment.', 1)
        : new Problem(503, 'Service Unavailable', 'The service is busy: try again in a moment.', {
            headers: { 'retry-after': '1' },
          })
    }
    const status = statusOf(error)
    if (status === undefined || status >= 500) {
      return form === 'oauth'
        ? serverError('Something went wrong on our side.')
        : new Problem(500, 'Internal Server Error')
    }
    const { detail, headers, status: mended } = this.#clientError(status, request)
    return form === 'oauth'
      ? new OAuthError('invalid_request', mended, detail, undefined, headers)
      : new Problem(mended, titles[mended] ?? 'Bad Request', detail, { headers })
  }

  #clientError(
    status: number,
    request: FastifyRequest,
  ): { status: number; detail: string; headers: Record<string, string> } {
    const [path = ''] = request.url.split('?')
    const allowed = status === 404 ? this.allowedMethods(path) : []
    if (allowed.length > 0) {
      // RFC 9110 §15.5.6: a 405 names the methods that are allowed
      const headers = { allow: allowed.join(', ') }
      return {
        status: 405,
        detail: `${request.method} is not allowed here; ${allowed.join(' and ')} ${allowed.length > 1 ? 'are' : 'is'}.`,
        headers,
      }
    }
    return {
      status,
      detail: details[status] ?? invalidRequest('The request is malformed.').description,
      headers: {},
    }
  }
}

const titles: Record<number, string> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  413: 'Content Too Large',
  414: 'URI Too Long',
  415: 'Unsupported Media Type',
}

const details: Record<number, string> = {
  400: 'The request could not be read: its body is not what its content type says.',
  404: 'There is nothing at this address.',
  413: 'The body is larger than 64 kB.',
  414: 'The URL is too long.',
  415: 'The content type of the body is not supported here.',
}

function statusOf(error: unknown): number | undefined {
  if (error instanceof HttpException) return error.getStatus()
  if (error instanceof Error && 'statusCode' in error && typeof error.statusCode === 'number')
    return error.statusCode
  return undefined
}
