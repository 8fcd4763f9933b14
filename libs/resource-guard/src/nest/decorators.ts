import { createParamDecorator, type ExecutionContext, SetMetadata } from '@nestjs/common'
import type { StalenessPolicy } from '../guard.js'
import { tokenOf } from '../http.js'
import type { VerifiedToken } from '../verified-token.js'

/** Who is let through: whoever has a token with the scopes, or everybody. */
export type Access = { readonly scope: readonly string[] } | 'public'

export const ACCESS = 'grantlog:access'
export const STALENESS = 'grantlog:staleness'

/** The route needs a token with all of these scopes. */
export const RequireScope = (...scope: string[]) => SetMetadata(ACCESS, { scope } satisfies Access)

/** The route is for everybody. */
export const Public = () => SetMetadata(ACCESS, 'public' satisfies Access)

/** How old what is known of revocations may be for this route, and what happens then; beside `RequireScope`. Default: as the guard has it. */
export const Staleness = (policy: StalenessPolicy) => SetMetadata(STALENESS, policy)

/** The verified token of the request. For routes with `RequireScope`. */
export const Token = createParamDecorator(
  (_: undefined, context: ExecutionContext): VerifiedToken =>
    tokenOf(context.switchToHttp().getRequest<object>()),
)
