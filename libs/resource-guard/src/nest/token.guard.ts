import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common'
import { Reflector } from '@nestjs/core'
import { type CertificateCarrier, Guard } from '../guard.js'
import { NEED, type Need, remember } from './decorators.js'

/** What is read of a request: Fastify's and Express's have it. */
interface Request extends CertificateCarrier {
  readonly method: string
  readonly url: string
  readonly originalUrl?: string
  readonly query?: object
}

/** Lets a request through when its token is good for the route. A route that says nothing of what it needs is refused. */
@Injectable()
export class TokenGuard implements CanActivate {
  constructor(
    private readonly guard: Guard,
    private readonly reflector: Reflector,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const need = this.reflector.getAllAndOverride<Need | undefined>(NEED, [
      context.getHandler(),
      context.getClass(),
    ])
    if (need === undefined) {
      throw new Error(
        `${context.getClass().name}.${context.getHandler().name} says neither @RequireScope() nor @Public()`,
      )
    }
    if (need === 'public') return true
    const request = context.switchToHttp().getRequest<Request>()
    const token = await this.guard.verify(
      {
        authorization: one(request, 'authorization'),
        dpop: one(request, 'dpop'),
        method: request.method,
        path: request.originalUrl ?? request.url,
        certificate: this.guard.certificateOf(request),
        tokenInQuery: Object.hasOwn(request.query ?? {}, 'access_token'),
      },
      need,
    )
    remember(request, token)
    return true
  }
}

/** Lines of one name combine with commas (RFC 9110 §5.3): no header that is read here may be two. */
function one({ headers }: Request, name: string): string | undefined {
  const value = headers[name]
  return Array.isArray(value) ? value.join(', ') : value
}
