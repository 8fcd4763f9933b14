import { z } from 'zod'

/** The id of a client in a registration. */
export const newClientId = z
  .string()
  .regex(/^[A-Za-z0-9._~-]{1,64}$/, 'must be 1 to 64 of A-Z, a-z, 0-9, and . _ ~ -')
