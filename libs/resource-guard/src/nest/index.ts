export { Public, RequireScope, Staleness, Token } from './decorators.js'
export { GuardErrorFilter } from './guard-error.filter.js'
export { TokenGuard } from './token.guard.js'
