/**
 * The algorithms in which clients may sign client assertions and DPoP proofs: asymmetric, and none that is broken.
 * `Ed25519` is the name that RFC 9864 gives to what was `EdDSA`.
 *
 * @see RFC 7518 §3.1, RFC 8037 §3.1, RFC 9864 §2.2
 */
export const clientSigningAlgorithms = ['ES256', 'Ed25519', 'EdDSA', 'PS256', 'RS256'] as const
export type ClientSigningAlgorithm = (typeof clientSigningAlgorithms)[number]
