import { consent, grants, noGrants, positions, signIn } from './consent.js'
import { failure, sampleResult, sampleStart, status } from './sample.js'

/** Every page as its service composes it, to look at and to test in a browser. Not part of the package. */
export const previews: Readonly<Record<string, () => string>> = {
  consent: () => consent(),
  'consent-error': () => consent('Choose whose invoices Ledgerly may use.'),
  'sign-in': () => signIn(),
  'sign-in-error': () => signIn('Check your password and try again.'),
  grants,
  'no-grants': noGrants,
  positions,
  'sample-start': sampleStart,
  'sample-result': sampleResult,
  status,
  error: failure,
}
