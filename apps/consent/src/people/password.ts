import { z } from 'zod'

/** A password that somebody chooses (NIST SP 800-63B-4 §3.1.1.2). */
export const newPassword = z
  .string()
  .min(15, 'must be at least 15 characters: several words are easy to remember')
  .max(1024)
