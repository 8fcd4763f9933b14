import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common'
import { Reflector } from '@nestjs/core'
import { Guard, type StalenessPolicy } from '../guard.js'
import { type HttpRequest, remember, tokenRequestOf } from '../http.js'
import { ACCESS, type Access, STALENESS } from './decorators.js'

/** Lets a request through when its token is good for the route. A route that says nothing of what it needs is refused. */
@Injectable()
export class TokenGuard implements CanActivate {
  constructor(
    private readonly guard: Guard,
    private readonly reflector: Reflector,
  ) {}

  async canActivate(context: ExecutionContext): Promise<boolean> {
    const at = [context.getHandler(), context.getClass()]
    const access = this.reflector.getAllAndOverride<Access | undefined>(ACCESS, at)
    if (access === undefined) {
      throw new Error(
        `${context.getClass().name}.${context.getHandler().name} says neither @RequireScope() nor @Public()`,
      )
    }
    if (access === 'public') return true
    const staleness = this.reflector.getAllAndOverride<StalenessPolicy | undefined>(STALENESS, at)
    const request = context.switchToHttp().getRequest<HttpRequest>()
    const token = await this.guard.verify(tokenRequestOf(this.guard, request), { ...access, ...staleness })
    remember(request, token)
    return true
  }
}
