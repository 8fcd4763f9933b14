import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common'
import { GuardError } from '../guard-error.js'
import { answerOf } from '../http.js'

interface Reply {
  status(code: number): Reply
  headers(values: Record<string, string>): Reply
  send(body: string): void
}

/** Answers a refused request as RFC 6750 §3 asks. For Nest on Fastify. */
@Catch(GuardError)
export class GuardErrorFilter implements ExceptionFilter {
  catch(error: GuardError, host: ArgumentsHost): void {
    const { status, headers, body } = answerOf(error)
    host.switchToHttp().getResponse<Reply>().status(status).headers(headers).send(body)
  }
}
