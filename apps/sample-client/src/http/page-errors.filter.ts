import { OAuthError } from '@grantlog/oauth'
import { currentTrace, Problem } from '@grantlog/platform'
import { contentSecurityPolicy } from '@grantlog/ui'
import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common'
import type { FastifyReply } from 'fastify'
import { refusalPage } from '../pages/refusal.page.js'

/** Refusals as pages: it is a person who reads them here. */
@Catch(OAuthError, Problem)
export class PageErrors implements ExceptionFilter<OAuthError | Problem> {
  catch(error: OAuthError | Problem, host: ArgumentsHost): void {
    host
      .switchToHttp()
      .getResponse<FastifyReply>()
      .status(error.status)
      .header('content-type', 'text/html; charset=utf-8')
      .header('content-security-policy', contentSecurityPolicy())
      .send(refusalPage(error.message, currentTrace()?.traceId))
  }
}
