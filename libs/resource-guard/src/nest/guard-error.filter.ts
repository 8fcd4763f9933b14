import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common'
import { GuardError } from '../guard-error.js'

interface Reply {
  status(code: number): Reply
  headers(values: Record<string, string>): Reply
  type(contentType: string): Reply
  send(body: string): void
}

/** Answers a refused request as RFC 6750 §3 asks. For Nest on Fastify. */
@Catch(GuardError)
export class GuardErrorFilter implements ExceptionFilter {
  catch(error: GuardError, host: ArgumentsHost): void {
    host
      .switchToHttp()
      .getResponse<Reply>()
      .status(error.status)
      .headers({ 'cache-control': 'no-store', ...error.headers })
      .type('application/json')
      .send(JSON.stringify(error))
  }
}
