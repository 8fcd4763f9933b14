import { createParamDecorator, type ExecutionContext, SetMetadata } from '@nestjs/common'
import type { VerifiedToken } from '../verified-token.js'

/** What a route needs: scopes, or nothing at all. */
export type Need = { readonly scope: readonly string[] } | 'public'

export const NEED = 'grantlog:need'
const verified = new WeakMap<object, VerifiedToken>()

/** The route needs a token with all of these scopes. */
export const RequireScope = (...scope: string[]) => SetMetadata(NEED, { scope } satisfies Need)

/** The route is for everybody. */
export const Public = () => SetMetadata(NEED, 'public' satisfies Need)

/** The verified token of the request. */
export const Token = createParamDecorator((_: undefined, context: ExecutionContext): VerifiedToken => {
  const token = verified.get(context.switchToHttp().getRequest<object>())
  if (token === undefined) throw new Error('@Token() is only for routes with @RequireScope()')
  return token
})

export function remember(request: object, token: VerifiedToken): void {
  verified.set(request, token)
}
