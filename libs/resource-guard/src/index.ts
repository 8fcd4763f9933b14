export type { BoundTo } from './claims.js'
export { type AccessToken, type ClientTokenOptions, clientToken } from './client-token.js'
export { type FollowOptions, followRevocations } from './follow-revocations.js'
export { Freshness } from './freshness.js'
export {
  type CertificateCarrier,
  Guard,
  type GuardOptions,
  type Need,
  type StalenessPolicy,
  type TokenRequest,
  type WhenStale,
} from './guard.js'
export { GuardError } from './guard-error.js'
export { type Introspect, remoteIntrospection } from './introspection.js'
export { importKey, type KeySource, remoteKeys } from './keys.js'
export {
  type ReportOptions,
  type ReportOutcome,
  type Reports,
  reportOutcomes,
  reportPositions,
} from './report-positions.js'
export {
  type RevocableToken,
  type Revocation,
  RevocationSet,
  type TargetKind,
  targetKinds,
} from './revocation-set.js'
export type { VerifiedToken } from './verified-token.js'
