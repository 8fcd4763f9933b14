import { z } from 'zod'

/**
 * Text that people read on our pages. It can not break out of its line, nor turn what stands around it: a right-to-left
 * override would let a name end in other words than it is stored with.
 */
export const line = (maxLength: number) =>
  z
    .string()
    .trim()
    .min(1)
    .max(maxLength)
    .regex(
      /^[^\p{Cc}\p{Bidi_Control}\p{Zl}\p{Zp}]*$/u,
      'must be one line, without characters that change the direction of text',
    )
