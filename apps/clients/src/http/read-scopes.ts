import { OAuthError, parseScope } from '@grantlog/oauth'
import { wrong } from './wrong-member.js'

/** @throws Problem 400 that points at the member */
export function readScopes(pointer: string, scope: string): string[] {
  const scopes = pointing(pointer, () => parseScope(scope))
  if (scopes.some(name => name.length > 128)) throw wrong(pointer, 'has a scope of more than 128 characters')
  return scopes
}

/** What the protocol's rules refuse, as what is wrong with a member. */
export function pointing<T>(pointer: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw error instanceof OAuthError ? wrong(pointer, error.description) : error
  }
}
