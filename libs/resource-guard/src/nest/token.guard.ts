import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common'
import { Reflector } from '@nestjs/core'
import { Guard } from '../guard.js'
import { NEED, type Need, remember } from './decorators.js'

interface Request {
  readonly headers: { readonly authorization?: string }
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
    const { authorization } = request.headers
    const tokenInQuery = Object.hasOwn(request.query ?? {}, 'access_token')
    remember(request, await this.guard.verify({ authorization, tokenInQuery }, need))
    return true
  }
}
