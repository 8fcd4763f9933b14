import { assertResourceIndicator, OAuthError } from '@grantlog/oauth'
import { z } from 'zod'

/** The audience of an API, as requests name it. */
export const audience = z
  .string()
  .max(512)
  .refine(isResourceIndicator, 'must be an absolute URI without a fragment')
  .describe('The resource indicator (RFC 8707 §2).')

/** Of any other, no request could ask for a token. */
function isResourceIndicator(text: string): boolean {
  try {
    assertResourceIndicator(text)
    return true
  } catch (error) {
    if (error instanceof OAuthError) return false
    throw error
  }
}
